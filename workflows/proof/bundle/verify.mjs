// Verify a bundle of evidence a second way: by other hands than verify.py, with nothing but Node and its WebCrypto.
//
//     node verify.mjs BUNDLE.zip --key KEYS.txt [--since CHECKPOINT.txt …]
//
// The words, the files and the exit codes are those of verify.py: 0 sound, 1 tampered, 2 incomplete, 3 no key
// that you trust signed it.

import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import { pathToFileURL } from "node:url";

const SOUND = 0, TAMPERED = 1, INCOMPLETE = 2, UNTRUSTED = 3;
const NAMES = ["SOUND", "TAMPERED", "INCOMPLETE", "KEY NOT VERIFIED"];
const FORMAT = "tidu-bundle/1", PROOF = "c2sp.org/tlog-proof@v1";
const NUMBER = /^(0|[1-9][0-9]{0,18})$/, PART = /^(?!\.)[^/\\\0:]{1,200}$/u;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

class Fault extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const tampered = (message) => new Fault(TAMPERED, message);
const ascii = (text) => new TextEncoder().encode(text);
const same = (a, b) => Buffer.compare(a, b) === 0;
const sha256 = async (...parts) => Buffer.from(await webcrypto.subtle.digest("SHA-256", Buffer.concat(parts)));

function textOf(data, what) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw tampered(`${what} is no text`);
  }
}

function bytesOf(text, what) {
  const data = Buffer.from(text, "base64");
  if (!BASE64.test(text) || data.toString("base64") !== text) throw tampered(`${what}: expected base64`);
  return data;
}

function hashOf(text, what) {
  const data = bytesOf(text, what);
  if (data.length !== 32) throw tampered(`${what}: expected a hash`);
  return data;
}

// --- the archive: every byte is accounted for, in this order and no other

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function crc32(data) {
  let sum = 0xffffffff;
  for (const byte of data) sum = TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

function numbers(...pairs) {
  const out = Buffer.alloc(pairs.reduce((sum, [width]) => sum + width, 0));
  let place = 0;
  for (const [width, value] of pairs) {
    out.writeUIntLE(value, place, width);
    place += width;
  }
  return out;
}

// What `data` would have to begin with if the next file were `name`.
function header(name, content) {
  const size = content.length;
  return numbers([2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc32(content)], [4, size], [4, size],
    [2, Buffer.byteLength(name)], [2, 0]);
}

export function opened(data) {
  const broken = new Fault(data.subarray(0, 2).toString("latin1") === "PK" ? TAMPERED : INCOMPLETE,
    "this is not an archive as it was written");
  const files = new Map(), index = [];
  let place = 0, last = null;
  const take = (expected) => {
    if (!same(data.subarray(place, place + expected.length), expected)) throw broken;
    place += expected.length;
  };
  while (data.subarray(place, place + 4).equals(Buffer.from("PK\x03\x04"))) {
    const start = place;
    if (data.length < start + 30) throw broken;
    const size = data.readUInt32LE(start + 22), width = data.readUInt16LE(start + 26);
    const name = data.subarray(start + 30, start + 30 + width);
    const content = data.subarray(start + 30 + width, start + 30 + width + size);
    const word = textOf(name, "a name");
    if (content.length !== size || !word.split("/").every((part) => PART.test(part))) throw broken;
    if (last !== null && Buffer.compare(last, name) >= 0) throw broken;
    const common = header(word, content);
    take(Buffer.concat([Buffer.from("PK\x03\x04"), common, name, content]));
    index.push(Buffer.concat([Buffer.from("PK\x01\x02"), numbers([2, 20]), common, Buffer.alloc(10),
      numbers([4, start]), name]));
    files.set(word, content);
    last = name;
  }
  const from = place, listed = Buffer.concat(index);
  take(listed);
  take(Buffer.concat([Buffer.from("PK\x05\x06"),
    numbers([2, 0], [2, 0], [2, files.size], [2, files.size], [4, listed.length], [4, from], [2, 0])]));
  if (place !== data.length) throw broken;
  return files;
}

function need(files, name) {
  if (!files.has(name)) throw new Fault(INCOMPLETE, `${name} is missing`);
  return files.get(name);
}

// --- JSON that names nothing twice: JSON.parse would keep the last of two and say nothing

export function parseOnce(text, what) {
  const token = /\s*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\.)*")|([^\s{}[\],:"]+))/uy;
  const open = [];
  let key = null;
  for (let found; token.lastIndex < text.length && (found = token.exec(text)); ) {
    const [, sign, string] = found, inner = open.at(-1);
    if (sign === "{") open.push(new Set());
    else if (sign === "[") open.push(null);
    else if (sign === "}" || sign === "]") open.pop();
    else if (sign === ":") {
      if (key === null || !(inner instanceof Set) || inner.has(key)) throw tampered(`${what}: a name stands there twice`);
      inner.add(key);
    }
    try {
      key = string === undefined ? null : JSON.parse(string);
    } catch {
      throw tampered(`${what} is not JSON`);
    }
  }
  try {
    const value = JSON.parse(text);
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error();
    return value;
  } catch {
    throw tampered(`${what} is not JSON`);
  }
}

// --- notes and keys

export async function readKeys(text) {
  const keys = [];
  for (const line of text.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const found = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+?)(?: until (0|[1-9][0-9]*))?$/u.exec(line);
    const wrong = new Fault(UNTRUSTED, `not a key: ${line.slice(0, 80)}`);
    if (!found) throw wrong;
    const material = Buffer.from(found[3], "base64");
    const id = (await sha256(ascii(`${found[1]}\n`), material)).subarray(0, 4);
    if (material.length !== 33 || material[0] !== 1 || id.toString("hex") !== found[2]) throw wrong;
    keys.push({ name: found[1], id, raw: material.subarray(1), until: found[4] === undefined ? null : BigInt(found[4]) });
  }
  return keys;
}

function readNote(data, what) {
  const note = textOf(data, what), gap = note.lastIndexOf("\n\n");
  if (gap < 0 || !note.endsWith("\n")) throw tampered(`${what} is no signed note`);
  const signatures = note.slice(gap + 2, -1).split("\n").map((line) => {
    const found = /^— ([^ ]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    const made = found ? bytesOf(found[2], what) : null;
    if (!made || made.length !== 68) throw tampered(`${what} is no signed note`);
    return { name: found[1], id: made.subarray(0, 4), signature: made.subarray(4) };
  });
  return { text: note.slice(0, gap + 1), signatures };
}

function readHead(text, what) {
  const lines = text.split("\n");
  if (lines.length !== 4 || !NUMBER.test(lines[1])) throw tampered(`${what} is no checkpoint`);
  return { origin: lines[0], size: BigInt(lines[1]), root: hashOf(lines[2], what) };
}

async function byOneOf(keys, { text, signatures }, what, size = 0n) {
  let count = 0;
  for (const key of keys) {
    for (const made of signatures.filter((one) => one.name === key.name && same(one.id, key.id))) {
      const open = await webcrypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
      if (!(await webcrypto.subtle.verify("Ed25519", open, made.signature, ascii(text)))) {
        throw tampered(`the signature under ${what} is false`);
      }
      if (key.until !== null && key.until < size) {
        throw new Fault(UNTRUSTED, `${what} has ${size} entries, its key was retired at ${key.until}`);
      }
      count += 1;
    }
  }
  if (!count) {
    throw new Fault(UNTRUSTED, `${what} is signed by ${signatures[0].name}, and you gave no key of that name`);
  }
}

// --- trees: a proof is followed from the leaf upwards (RFC 9162, 2.1.3.2 and 2.1.4.2)

const node = (left, right) => sha256(Buffer.from([1]), left, right);

async function rootOf(leaf, index, size, path) {
  if (index >= size) return null;
  let here = index, last = size - 1n, found = leaf;
  for (const beside of path) {
    if (last === 0n) return null;
    if (here & 1n || here === last) {
      found = await node(beside, found);
      while (here && !(here & 1n)) [here, last] = [here >> 1n, last >> 1n];
    } else found = await node(found, beside);
    [here, last] = [here >> 1n, last >> 1n];
  }
  return last === 0n ? found : null;
}

async function isConsistent(old, now, path) {
  if (old.size === 0n) return !path.length && same(old.root, await sha256());
  if (old.size === now.size) return !path.length && same(old.root, now.root);
  if (old.size > now.size || !path.length) return false;
  const [first, ...rest] = old.size & (old.size - 1n) ? path : [old.root, ...path];
  let here = old.size - 1n, last = now.size - 1n, was = first, is = first;
  while (here & 1n) [here, last] = [here >> 1n, last >> 1n];
  for (const beside of rest) {
    if (last === 0n) return false;
    if (here & 1n || here === last) {
      [was, is] = [await node(beside, was), await node(beside, is)];
      while (here && !(here & 1n)) [here, last] = [here >> 1n, last >> 1n];
    } else is = await node(is, beside);
    [here, last] = [here >> 1n, last >> 1n];
  }
  return last === 0n && same(was, old.root) && same(is, now.root);
}

// --- cases

async function judgeCase(files, name, said, head) {
  const folder = `cases/${name}/`, lines = textOf(need(files, `${folder}entries.jsonl`), folder).split("\n");
  let digest = "", first = null, before = -1n;
  const rest = lines.pop();
  for (const [place, line] of lines.entries()) {
    const seq = place + 1, where = `case ${name}, entry ${seq}`;
    const body = parseOnce(line, where);
    if (body.case !== name || body.seq !== seq) throw tampered(`${where}: it says it is another entry`);
    first ??= body;
    digest = (await sha256(ascii(digest + line))).toString("hex");
    const leaf = await sha256(Buffer.from([0]), ascii(JSON.stringify({ case: name, digest, seq })));
    const proof = textOf(need(files, `${folder}${String(seq).padStart(6, "0")}.tlog-proof`), where);
    before = await included(proof, files.get("checkpoint.txt"), leaf, before, where, head);
  }
  const definition = await definitionOf(files, name, first);
  const fits = said && said.definition === definition && said.entries === lines.length && Object.keys(said).length === 2;
  if (rest !== "" || !fits) {
    throw new Fault(INCOMPLETE, `case ${name}: the entries are not as many as were put in`);
  }
  return `${name}: ${lines.length} entries`;
}

async function included(proof, note, leaf, before, where, head) {
  const gap = proof.indexOf("\n\n"), [title, place, ...path] = proof.slice(0, Math.max(gap, 0)).split("\n");
  const number = (place ?? "").slice("index ".length), hashes = path.map((line) => hashOf(line, where));
  const isOne = title === PROOF && place === `index ${number}` && NUMBER.test(number);
  if (!isOne || !same(Buffer.from(proof.slice(gap + 2)), note)) throw tampered(`${where}: its proof is none`);
  const root = BigInt(number) > before ? await rootOf(leaf, BigInt(number), head.size, hashes) : null;
  if (root === null || !same(root, head.root)) throw tampered(`${where}: it is not the entry that the checkpoint knows`);
  return BigInt(number);
}

async function definitionOf(files, name, first) {
  const data = first?.data;
  if (!data || typeof data !== "object" || !("process" in data && "definition_digest" in data)) {
    throw new Fault(INCOMPLETE, `case ${name} has no first entry that starts it`);
  }
  for (const told of Object.values(data.shared ?? {})) need(files, `contents/${told.digest}`);
  const wanted = String(data.definition_digest), parts = [ascii(String(data.process))];
  for (const kind of ["bpmn", "dmn"]) {
    const stem = `definitions/${wanted}/${kind}/`;
    const names = [...files.keys()].filter((one) => one.startsWith(stem));
    for (const path of names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      for (const part of [ascii(kind), ascii(path.slice(stem.length, -kind.length - 1)), files.get(path)]) {
        const width = Buffer.alloc(8);
        width.writeBigUInt64BE(BigInt(part.length));
        parts.push(width, part);
      }
    }
  }
  if ((await sha256(...parts)).toString("hex") !== wanted) {
    throw tampered(`case ${name}, entry 1: the drawings and tables are not those it was started with`);
  }
  return wanted;
}

async function older(files, name, head) {
  const proof = textOf(files.get(name), name), gap = proof.indexOf("\n\n");
  const [size, ...path] = proof.slice(0, Math.max(gap, 0)).split("\n");
  const old = readHead(readNote(Buffer.from(proof.slice(gap + 2)), name).text, name);
  const isOne = size === `old ${old.size}` && name === `since/${old.size}.txt`;
  if (!isOne || !(await isConsistent(old, head, path.map((line) => hashOf(line, name))))) {
    throw tampered(`${name}: the journal does not begin with what this checkpoint knew`);
  }
}

async function held(files, note, head, keys) {
  const what = "the checkpoint you kept", read = readNote(Buffer.from(note), what), old = readHead(read.text, what);
  await byOneOf(keys.filter((key) => key.name === old.origin), read, what, old.size);
  if (old.size > head.size) throw tampered(`${what} knows ${old.size} entries, the bundle's only ${head.size}: it is older`);
  if (old.size === head.size && !same(old.root, head.root)) {
    throw tampered(`${what} and the bundle's have ${old.size} entries and different roots`);
  }
  if (old.size < head.size && !need(files, `since/${old.size}.txt`).includes(`\n\n${read.text}\n`)) {
    throw tampered(`${what} is another one than the bundle has of ${old.size} entries`);
  }
}

export async function judge(data, keys, since = []) {
  const files = opened(data), manifest = parseOnce(textOf(need(files, "manifest.json"), "manifest.json"), "manifest.json");
  if (manifest.format !== FORMAT || manifest.algorithm !== "sha-256") {
    throw new Fault(INCOMPLETE, `this program knows ${FORMAT} with sha-256 only`);
  }
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isObject(manifest.cases) || !isObject(manifest.files)) throw tampered("manifest.json does not have its parts");
  const head = readHead(readNote(need(files, "checkpoint.txt"), "checkpoint.txt").text, "checkpoint.txt");
  const told = [];
  for (const name of Object.keys(manifest.cases).sort()) told.push(await judgeCase(files, name, manifest.cases[name], head));
  for (const name of [...new Set([...Object.keys(manifest.files), ...files.keys()])].sort()) {
    if (name === "manifest.json" || name === "manifest.note") continue;
    const digest = (await sha256(need(files, name))).toString("hex");
    const isNamedSo = !/^(attachments|contents)\//.test(name) || name.endsWith(`/${digest}`);
    if (!Object.hasOwn(manifest.files, name) || manifest.files[name] !== digest || !isNamedSo) {
      throw tampered(`${name} is not the file that was put in`);
    }
  }
  for (const name of files.keys()) if (name.startsWith("since/")) await older(files, name, head);
  for (const note of since) await held(files, note, head, keys);
  const sealed = readNote(need(files, "manifest.note"), "manifest.note");
  if (sealed.text !== `${FORMAT}\n${(await sha256(files.get("manifest.json"))).toString("hex")}\n`) {
    throw tampered("manifest.json is not the one that was signed");
  }
  const trusted = keys.filter((key) => key.name === head.origin);
  await byOneOf(trusted, sealed, "the bundle");
  await byOneOf(trusted, readNote(files.get("checkpoint.txt"), "checkpoint.txt"), "the checkpoint", head.size);
  return [`${head.origin}: checkpoint of ${head.size} entries`, ...told, "SOUND: nothing was changed"];
}

async function main(words) {
  const asked = { "": [], "--key": [], "--since": [] };
  for (let option = ""; words.length; option = "") {
    if (words[0] === "--key" || words[0] === "--since") option = words.shift();
    asked[option].push(words.shift());
  }
  try {
    const keys = [];
    for (const path of asked["--key"]) keys.push(...(await readKeys(readFileSync(path, "utf-8"))));
    const since = asked["--since"].map((path) => readFileSync(path, "utf-8"));
    console.log((await judge(readFileSync(asked[""][0]), keys, since)).join("\n"));
    return SOUND;
  } catch (fault) {
    if (fault instanceof Fault) console.error(`${NAMES[fault.code]}: ${fault.message}`);
    else console.error(`cannot read: ${fault.message}`);
    return fault instanceof Fault ? fault.code : INCOMPLETE;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await main(process.argv.slice(2));
}
