"""Journal entries as sentences for people, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine import events as ev
from engine.definition.model import Definition
from engine.events import Entry, Event

LANES: dict[type[Event], str] = {
    ev.TaskClaimed: "people",
    ev.TaskReleased: "people",
    ev.TaskDelegated: "people",
    ev.TaskResolved: "people",
    ev.TaskTransferred: "people",
    ev.TaskCompleted: "people",
    ev.CaseStarted: "people",
    ev.MessageReceived: "people",
    ev.SignalReceived: "people",
    ev.DecisionMade: "decisions",
    ev.JobCreated: "services",
    ev.JobSucceeded: "services",
    ev.JobFailed: "services",
    ev.JobCancelled: "services",
    ev.IncidentRaised: "interventions",
    ev.IncidentResolved: "interventions",
    ev.IncidentCancelled: "interventions",
    ev.CaseSuspended: "interventions",
    ev.CaseResumed: "interventions",
    ev.CaseTerminated: "interventions",
}
"""Which lane of the time line an event stands in; everything else is the process itself."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """Names for ids: elements by the drawing, tasks and jobs by the element they stand for, people."""

    definition: Definition
    elements: Mapping[str, str]
    people: Mapping[str, str]

    def name(self, element: str, *, english: bool) -> str:
        """The element's name, or its id if it has none."""
        drawn = self.definition.elements.get(element)
        if drawn is None:
            return self._process(element, english=english)
        return (drawn.name_en if english else drawn.name) or drawn.name or element

    def _process(self, its_id: str, *, english: bool) -> str:
        drawing = self.definition.drawings.get(its_id)
        if drawing is None:
            return its_id
        return (drawing.properties.get("name:en") if english else "") or drawing.name or its_id

    def of(self, its_id: str, *, english: bool) -> str:
        """The name of the element behind a task, timer, job or incident id."""
        return self.name(self.elements.get(its_id, its_id), english=english)

    def person(self, person: str | None) -> str:
        """The person's name, or the id of a stranger."""
        return self.people.get(person or "", person or "")


def lane(event: Event) -> str:
    """`people`, `decisions`, `services`, `interventions` or `process`."""
    return LANES.get(type(event), "process")


def element_of(event: Event, elements: Mapping[str, str]) -> str:
    """The id of the element an event is about, empty if it is about the case."""
    drawn = getattr(event, "element", None)
    if isinstance(drawn, str):
        return drawn
    for name in ("task_id", "timer_id", "job_id", "incident_id"):
        its_id = getattr(event, name, None)
        if isinstance(its_id, str):
            return elements.get(its_id, "")
    return ""


def chinese(entry: Entry, words: Words) -> str:
    """The entry as one Chinese sentence."""
    who = words.person(entry.who.actor)
    if entry.who.on_behalf_of:
        who += f"（代 {words.person(entry.who.on_behalf_of)}）"
    return _people_zh(entry.event, who, words) or _process_zh(entry.event, who, words)


def english(entry: Entry, words: Words) -> str:
    """The entry as one English sentence."""
    who = words.person(entry.who.actor)
    if entry.who.on_behalf_of:
        who += f" (for {words.person(entry.who.on_behalf_of)})"
    return _people_en(entry.event, who, words) or _process_en(entry.event, who, words)


def _people_zh(event: Event, who: str, words: Words) -> str:
    match event:
        case ev.CaseStarted(process=process):
            return f"{who} 发起了案件（{words.name(process, english=False)}）。"
        case ev.TaskClaimed(task_id=task_id):
            return f"{who} 认领了【{words.of(task_id, english=False)}】。"
        case ev.TaskReleased(task_id=task_id, reason=reason):
            return f"{who} 放回了【{words.of(task_id, english=False)}】{_zh(reason)}。"
        case ev.TaskDelegated(task_id=task_id, delegate=to, question=question):
            name = words.of(task_id, english=False)
            return f"{who} 就【{name}】委派 {words.person(to)} 提出意见{_zh(question)}。"
        case ev.TaskResolved(task_id=task_id, opinion=opinion):
            return f"{who} 答复了【{words.of(task_id, english=False)}】的委派{_zh(opinion)}。"
        case ev.TaskTransferred(task_id=task_id, assignee=to, reason=reason):
            name = words.of(task_id, english=False)
            return f"{who} 将【{name}】转交 {words.person(to)}{_zh(reason)}。"
        case ev.TaskCompleted(task_id=task_id, values=values):
            chosen = values.get("outcome")
            name = words.of(task_id, english=False)
            return f"{who} 完成了【{name}】{_zh(chosen if isinstance(chosen, str) else '')}。"
        case ev.MessageReceived(message=message):
            return f"{who} 提交了“{message}”。"
        case ev.SignalReceived(signal=signal):
            return f"{who} 传来了信号“{signal}”。"
        case ev.CaseSuspended(reason=reason):
            return f"{who} 中止了案件{_zh(reason)}。"
        case ev.CaseResumed(reason=reason):
            return f"{who} 恢复了案件{_zh(reason)}。"
        case ev.CaseTerminated(reason=reason):
            return f"{who} 终止了案件{_zh(reason)}。"
        case ev.IncidentResolved(incident_id=incident_id, reason=reason):
            return f"{who} 处理了【{words.of(incident_id, english=False)}】的异常并重试{_zh(reason)}。"
    return ""


def _process_zh(event: Event, who: str, words: Words) -> str:
    match event:
        case ev.TaskCreated(element=element, groups=groups, users=users):
            return f"【{words.name(element, english=False)}】待办理（{'、'.join(groups + users) or '—'}）。"
        case ev.TaskCancelled(task_id=task_id):
            return f"【{words.of(task_id, english=False)}】已撤销。"
        case ev.TaskEscalated(task_id=task_id):
            return f"【{words.of(task_id, english=False)}】逾期，已升级。"
        case ev.ElementPassed(element=element):
            return f"经过【{words.name(element, english=False)}】。"
        case ev.ElementSkipped(element=element):
            return f"【{words.name(element, english=False)}】无需办理，已跳过。"
        case ev.TimerSet(element=element, due_at=due_at):
            return f"【{words.name(element, english=False)}】计时至 {due_at}。"
        case ev.TimerFired(timer_id=timer_id, missed=missed):
            together = f"，连同错过的 {missed} 次只触发一次" if missed else ""
            return f"【{words.of(timer_id, english=False)}】到期{together}。"
        case ev.TimerCancelled(timer_id=timer_id):
            return f"【{words.of(timer_id, english=False)}】计时取消。"
        case ev.JobCreated(element=element, type=kind):
            return f"系统任务【{words.name(element, english=False)}】（{kind}）待执行。"
        case ev.JobSucceeded(job_id=job_id):
            return f"系统任务【{words.of(job_id, english=False)}】已完成。"
        case ev.JobFailed(job_id=job_id, message=message):
            return f"系统任务【{words.of(job_id, english=False)}】失败：{message}。"
        case ev.JobCancelled(job_id=job_id):
            return f"系统任务【{words.of(job_id, english=False)}】已取消。"
        case ev.DecisionMade(decision=decision, matched=matched):
            return f"决策表 {decision} 命中规则：{'、'.join(matched) or '无'}。"
        case ev.IncidentRaised(element=element, message=message):
            return f"【{words.name(element, english=False)}】出现异常：{message}。"
        case ev.IncidentCancelled(incident_id=incident_id):
            return f"【{words.of(incident_id, english=False)}】的异常已随分支结束。"
        case ev.CaseCompleted(outcome=outcome):
            return f"案件办结{_zh(outcome or '')}。"
    return f"{who}：{type(event).__name__}。"


def _people_en(event: Event, who: str, words: Words) -> str:
    match event:
        case ev.CaseStarted(process=process):
            return f"{who} started the case ({words.name(process, english=True)})."
        case ev.TaskClaimed(task_id=task_id):
            return f"{who} claimed {words.of(task_id, english=True)}."
        case ev.TaskReleased(task_id=task_id, reason=reason):
            return f"{who} released {words.of(task_id, english=True)}{_en(reason)}."
        case ev.TaskDelegated(task_id=task_id, delegate=to, question=question):
            name = words.of(task_id, english=True)
            return f"{who} asked {words.person(to)} for an opinion on {name}{_en(question)}."
        case ev.TaskResolved(task_id=task_id, opinion=opinion):
            return f"{who} gave an opinion on {words.of(task_id, english=True)}{_en(opinion)}."
        case ev.TaskTransferred(task_id=task_id, assignee=to, reason=reason):
            return f"{who} gave {words.of(task_id, english=True)} to {words.person(to)}{_en(reason)}."
        case ev.TaskCompleted(task_id=task_id, values=values):
            chosen = values.get("outcome")
            name = words.of(task_id, english=True)
            return f"{who} completed {name}{_en(chosen if isinstance(chosen, str) else '')}."
        case ev.MessageReceived(message=message):
            return f"{who} sent {message}."
        case ev.SignalReceived(signal=signal):
            return f"{who} passed on signal {signal}."
        case ev.CaseSuspended(reason=reason):
            return f"{who} suspended the case{_en(reason)}."
        case ev.CaseResumed(reason=reason):
            return f"{who} resumed the case{_en(reason)}."
        case ev.CaseTerminated(reason=reason):
            return f"{who} ended the case{_en(reason)}."
        case ev.IncidentResolved(incident_id=incident_id, reason=reason):
            return f"{who} mended {words.of(incident_id, english=True)} and had it tried again{_en(reason)}."
    return ""


def _process_en(event: Event, who: str, words: Words) -> str:
    match event:
        case ev.TaskCreated(element=element, groups=groups, users=users):
            return f"{words.name(element, english=True)} waits for {', '.join(groups + users) or 'somebody'}."
        case ev.TaskCancelled(task_id=task_id):
            return f"{words.of(task_id, english=True)} was cancelled."
        case ev.TaskEscalated(task_id=task_id):
            return f"{words.of(task_id, english=True)} is late and was escalated."
        case ev.ElementPassed(element=element):
            return f"Passed {words.name(element, english=True)}."
        case ev.ElementSkipped(element=element):
            return f"{words.name(element, english=True)} had nothing to do and was skipped."
        case ev.TimerSet(element=element, due_at=due_at):
            return f"{words.name(element, english=True)} is due at {due_at}."
        case ev.TimerFired(timer_id=timer_id, missed=missed):
            together = f" and stood for {missed} moments missed after it" if missed else ""
            return f"{words.of(timer_id, english=True)} came due{together}."
        case ev.TimerCancelled(timer_id=timer_id):
            return f"{words.of(timer_id, english=True)} is no longer timed."
        case ev.JobCreated(element=element, type=kind):
            return f"Service task {words.name(element, english=True)} ({kind}) waits to be done."
        case ev.JobSucceeded(job_id=job_id):
            return f"Service task {words.of(job_id, english=True)} was done."
        case ev.JobFailed(job_id=job_id, message=message):
            return f"Service task {words.of(job_id, english=True)} failed: {message}."
        case ev.JobCancelled(job_id=job_id):
            return f"Service task {words.of(job_id, english=True)} was cancelled."
        case ev.DecisionMade(decision=decision, matched=matched):
            return f"Decision {decision} matched {', '.join(matched) or 'no rule'}."
        case ev.IncidentRaised(element=element, message=message):
            return f"{words.name(element, english=True)} failed: {message}."
        case ev.IncidentCancelled(incident_id=incident_id):
            return f"The incident of {words.of(incident_id, english=True)} left with its branch."
        case ev.CaseCompleted(outcome=outcome):
            return f"The case is complete{_en(outcome or '')}."
    return f"{who}: {type(event).__name__}."


def _zh(text: str) -> str:
    return f"：{text}" if text else ""


def _en(text: str) -> str:
    return f": {text}" if text else ""
