"""What a process folder holds: its drawing, decisions, forms and played examples, told apart and hashed."""

from __future__ import annotations

import hashlib
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from engine.errors import BadDefinition, InvalidInput, Problem
from engine.xml import parse_xml
from workflows.store.contents import name_of

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
GLOBAL_TASK = f"{BPMN}global"
DRAWING = "process.bpmn"
MAX_FILE = 2_000_000
MAX_FILES = 200
LARGEST_ARCHIVE = 20 * 1024 * 1024
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, OSError, ValueError)
"""What unpacking a damaged, locked or invented archive raises."""

KNOWN = re.compile(
    r"process\.bpmn|[\w-]+\.dmn|forms/[\w-]+\.form|examples/[\w-]+\.json|README\.md", re.UNICODE
)
PROCESS_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Package:
    """A process folder: path inside it → content. `digest` is the same for the same content."""

    process_id: str
    name: str
    name_en: str
    files: Mapping[str, bytes]
    digest: str
    calls: tuple[str, ...]
    properties: Mapping[str, str]
    awaits: bool = False

    @property
    def started_by(self) -> tuple[str, ...]:
        """Group patterns of those who may start it; `none` if only other processes call it, or if it
        `awaits` a message or a signal to begin."""
        return ("none",) if self.awaits else split_list(self.properties.get("started_by", "applicant"))

    @property
    def case_prefix(self) -> str:
        """What its case numbers begin with: its own property, or the initials of its id."""
        initials = "".join(part[0] for part in self.process_id.split("_") if part)
        return self.properties.get("case_prefix") or initials.upper()

    @property
    def decisions(self) -> dict[str, bytes]:
        """Decision id → DMN text; the id is the file's name."""
        return {path.removesuffix(".dmn"): data for path, data in self.files.items() if path.endswith(".dmn")}

    @property
    def forms(self) -> dict[str, bytes]:
        """The form files by their paths."""
        return {path: data for path, data in self.files.items() if path.endswith(".form")}

    def form(self, form_id: str) -> bytes | None:
        """The form file of this id, if the folder has one."""
        return self.files.get(place_of(form_id))


def place_of(form_id: str) -> str:
    """Where in a package the form of this id stands."""
    return f"forms/{form_id}.form"


def read_folder(folder: Path) -> Package:
    """The package in `folder`, whose name is the process id. Raises BadDefinition."""
    if not (folder / DRAWING).is_file():
        raise bad("package.drawing", f"{folder.name} holds no {DRAWING}", f"{folder.name} 缺少 {DRAWING}")
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    files = {p.relative_to(folder).as_posix(): p for p in paths}
    package = read_files({name: read_file(p) for name, p in files.items() if KNOWN.fullmatch(name)})
    if package.process_id != folder.name:
        raise bad(
            "package.name",
            f"the folder is called {folder.name}, its process {package.process_id}",
            "文件夹名与流程编号不一致",
            element=package.process_id,
        )
    return package


def read_archive(data: bytes) -> dict[str, bytes]:
    """The files of a zipped package, without the folder they stand in.

    Raises InvalidInput PACKAGE_EXPECTED for what cannot be unpacked or names one file twice, TOO_LARGE.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _unpacked(archive)
    except BROKEN as error:
        raise InvalidInput("expected a zip with a process package", code="PACKAGE_EXPECTED") from error


def _unpacked(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if sum(entry.file_size for entry in entries) > LARGEST_ARCHIVE:
        raise InvalidInput("the package is too large", code="TOO_LARGE")
    drawing = next((e.filename for e in entries if e.filename.endswith(DRAWING)), DRAWING)
    folder = drawing.removesuffix(DRAWING)
    inside = [entry for entry in entries if entry.filename.startswith(folder)]
    if len({entry.filename for entry in inside}) < len(inside):
        raise InvalidInput("the archive names one file twice", code="PACKAGE_EXPECTED")
    return {entry.filename.removeprefix(folder): archive.read(entry) for entry in inside}


def read_file(path: Path) -> bytes:
    """The content of one file. Raises BadDefinition for a huge one, before it is read."""
    if path.stat().st_size > MAX_FILE:
        raise _too_large(path.name, path.stat().st_size)
    return path.read_bytes()


def read_files(files: Mapping[str, bytes], process_id: str | None = None) -> Package:
    """The package these files make, that of `process_id` if the drawing holds several executable processes.

    Raises BadDefinition for a strange file, a huge one, or no drawing.
    """
    _check_files(files)
    processes = _executable(files[DRAWING])
    if process_id is not None and len(processes) > 1:
        processes = [process for process in processes if process.get("id") == process_id]
    if len(processes) != 1:
        raise _not_one(processes)
    return _package(processes[0], files)


def read_unready(files: Mapping[str, bytes], process_id: str | None = None) -> Package:
    """The package these files may become: a drawing of another tool, not made to be executed yet.

    Its process is that of `process_id` if there is one, else the executable one, else that of the first
    pool. Raises BadDefinition for a strange file, a huge one, no drawing, or a drawing without a process.
    """
    _check_files(files)
    root = parse_xml(files[DRAWING], what=DRAWING)
    processes = list(root.iter(f"{BPMN}process"))
    if not processes:
        raise bad("package.process", "the drawing holds no process", "图中没有流程")
    pools = [_own_name(pool.get("processRef", "")) for pool in root.iter(f"{BPMN}participant")]

    def rank(process: etree._Element) -> tuple[bool, bool, int]:
        own = process.get("id", "")
        return own != process_id, not _is_executable(process), (*pools, own).index(own)

    return _package(min(processes, key=rank), files)


def read_drawing(data: bytes) -> tuple[Package, ...]:
    """A package for each executable process of a single drawing, in file order. Raises BadDefinition."""
    found = read_unready_drawing(data)
    if unmarked(found[0]):
        raise _not_one(())
    return found


def read_unready_drawing(data: bytes) -> tuple[Package, ...]:
    """A package for each executable process of a single drawing, or for each process if none is.

    In file order. Raises BadDefinition.
    """
    files = {DRAWING: data}
    _check_files(files)
    found = _executable(data) or list(parse_xml(data, what=DRAWING).iter(f"{BPMN}process"))
    if not found:
        raise _not_one(())
    return tuple(_package(process, files) for process in found)


def unmarked(package: Package) -> tuple[Problem, ...]:
    """The problem of a package whose process is not marked as executable."""
    own = package.process_id
    if any(process.get("id") == own for process in _executable(package.files[DRAWING])):
        return ()
    message = f"process {own} is not marked as executable; its properties, or those of its pool, can do it"
    message_zh = f"流程 {own} 未标记为可执行，请在流程或其泳池的属性中勾选“可执行”"
    return bad("process.executable", message, message_zh, own).problems


def lacking(package: Package) -> tuple[Problem, ...]:
    """Why `read_files` does not take the package yet."""
    found = _executable(package.files[DRAWING])
    return (*unmarked(package), *(_not_one(found).problems if len(found) > 1 else ()))


def _not_one(processes: Sequence[etree._Element]) -> BadDefinition:
    element = processes[1].get("id", "") if processes else ""
    message = f"expected one executable process, found {len(processes)}"
    return bad("package.process", message, f"图中必须恰有一个可执行流程，实际有 {len(processes)} 个", element)


def _own_name(reference: str) -> str:
    return reference.rpartition(":")[2]


def _executable(data: bytes) -> list[etree._Element]:
    root = parse_xml(data, what=DRAWING)
    return [process for process in root.iter(f"{BPMN}process") if _is_executable(process)]


def _is_executable(process: etree._Element) -> bool:
    return process.get("isExecutable") in ("true", "1")


def _package(process: etree._Element, files: Mapping[str, bytes]) -> Package:
    process_id = process.get("id", "")
    if not PROCESS_ID.fullmatch(process_id):
        raise bad(
            "package.id",
            f"{process_id!r} is no process id (a letter, then letters, digits, _ . -)",
            "流程编号不合规",
            process_id,
        )
    properties = _properties(process)
    name = process.get("name") or process_id
    return Package(
        process_id=process_id,
        name=name,
        name_en=properties.get("name:en", name),
        files=dict(files),
        digest=digest_of({path: name_of(data) for path, data in files.items()}),
        calls=_calls(process),
        properties=properties,
        awaits=_awaits(process),
    )


def encoding_of(data: bytes) -> str:
    """The encoding an XML text says it is written in; UTF-8 if it says nothing or cannot be read."""
    if data.startswith((b"\xfe\xff", b"\xff\xfe")):  # UTF-16 alone does not say which of the two
        return "UTF-16BE" if data[0] == 0xFE else "UTF-16LE"
    try:
        return parse_xml(data).getroottree().docinfo.encoding or "UTF-8"
    except BadDefinition:
        return "UTF-8"


def digest_of(files: Mapping[str, str]) -> str:
    """One digest over paths and the digests of their contents."""
    text = "".join(f"{path}\0{files[path]}\n" for path in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Put the files where `read_folder` finds them again."""
    for path, data in files.items():
        if not KNOWN.fullmatch(path):
            raise bad("package.file", f"{path} is not a file of a package", f"{path} 不是流程包文件")
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def in_call_order(packages: Iterable[Package]) -> list[Package]:
    """The called before their callers; packages that call each other in a circle are refused."""
    waiting = {package.process_id: package for package in packages}
    ordered: list[Package] = []
    while waiting:
        ready = [p for key, p in sorted(waiting.items()) if not (set(p.calls) - {key}) & set(waiting)]
        if not ready:
            names = ", ".join(sorted(waiting))
            raise bad(
                "package.circle", f"these processes call each other in a circle: {names}", "流程循环调用"
            )
        ordered += ready
        for package in ready:
            del waiting[package.process_id]
    return ordered


def split_list(text: str) -> tuple[str, ...]:
    """`a, b` → ("a", "b")."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def bad(rule: str, message: str, message_zh: str, element: str = "") -> BadDefinition:
    """A refusal with a single problem."""
    problem = Problem(element=element, rule=rule, severity="error", message=message, message_zh=message_zh)
    return BadDefinition((problem,))


def _check_files(files: Mapping[str, bytes]) -> None:
    if DRAWING not in files:
        raise bad("package.drawing", f"a package holds a {DRAWING}", f"流程包缺少 {DRAWING}")
    if len(files) > MAX_FILES:
        raise bad("package.size", f"at most {MAX_FILES} files, found {len(files)}", "流程包文件过多")
    for path, data in files.items():
        if not KNOWN.fullmatch(path):
            raise bad("package.file", f"{path} is not a file of a package", f"{path} 不是流程包文件")
        if len(data) > MAX_FILE:
            raise _too_large(path, len(data))


def _too_large(path: str, size: int) -> BadDefinition:
    return bad("package.size", f"{path} has {size} bytes, at most {MAX_FILE}", f"{path} 过大")


def _properties(process: etree._Element) -> dict[str, str]:
    extension = process.find(f"{BPMN}extensionElements")
    if extension is None:
        return {}
    return {p.get("name", ""): p.get("value", "") for p in extension.iter(f"{ZEEBE}property")}


def _awaits(process: etree._Element) -> bool:
    """Whether every start event, or what begins a case in their stead, has a trigger."""
    starts = list(process.iterchildren(f"{BPMN}startEvent"))
    instead = [e for e in process.iterchildren() if e.get("instantiate") == "true"]
    plain = [start for start in starts if not any("ventDefinition" in str(e.tag) for e in start)]
    return bool(starts or instead) and not plain


def _calls(process: etree._Element) -> tuple[str, ...]:
    """The processes that its call activities name, by zeebe's element, else by BPMN's attribute."""
    found: set[str] = set()
    for activity in process.iter(f"{BPMN}callActivity"):
        named = [element.get("processId") for element in activity.iter(f"{ZEEBE}calledElement")]
        found.update(name for name in named or [activity.get("calledElement")] if name)
    around = process.getparent()
    others = () if around is None else around.iterchildren()
    return tuple(sorted(found - {e.get("id") for e in others if e.tag != process.tag}))
