"""The registry of refusal codes: part of the API, with words in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A title per language and, where its facts are told, a sentence with them."""

    zh: str
    en: str
    detail_zh: str = ""
    detail_en: str = ""


CODES: dict[str, Code] = {
    "MALFORMED": Code("请求内容无法读取", "The request cannot be read"),
    "NOT_SIGNED_IN": Code(
        "请先登录", "Please sign in", "此页面需要登录后才能查看。", "This needs you to be signed in."
    ),
    "BAD_CREDENTIALS": Code(
        "登录失败",
        "Sign-in failed",
        "账号或口令不正确，请检查后重试。",
        "The account or the password is wrong. Check both and try again.",
    ),
    "LOCKED_OUT": Code(
        "登录已暂停",
        "Sign-in paused",
        "失败次数过多，请稍后再试。",
        "Too many failed attempts. Try again later.",
    ),
    "TOKEN_INVALID": Code("令牌无效", "The token is not valid"),
    "TOKEN_EXPIRED": Code("令牌已过期", "The token has expired"),
    "TOKEN_REVOKED": Code("令牌已撤销", "The token was revoked"),
    "ACCOUNT_DISABLED": Code("账号已停用", "The account is disabled"),
    "TOKEN_SCOPE": Code("令牌的权限不足", "The token's scopes do not reach this far"),
    "CSRF": Code(
        "页面已过期",
        "The page has expired",
        "出于安全考虑，请返回上一页，刷新后重新提交。",
        "For your safety, go back, reload the page and submit again.",
    ),
    "NOT_ALLOWED": Code("没有权限", "Not allowed"),
    "NOT_CANDIDATE": Code("不在办理人范围内", "Not a candidate for this task"),
    "SOD": Code(
        "不得办理本人经办的上一环节",
        "The same person may not act twice",
        "您已办理过本案中与此互斥的环节，须由他人办理。",
        "You completed a step of this case that excludes you here. Somebody else has to act.",
    ),
    "COI": Code("存在利益冲突", "Conflict of interest"),
    "EVALUATOR_CAP": Code("评价机构已达年度上限", "The evaluator has reached its yearly cap"),
    "NOT_FOUND": Code(
        "没有找到",
        "Not found",
        "不存在，或您无权知悉。",
        "There is no such thing, or you may not know of it.",
    ),
    "METHOD_NOT_ALLOWED": Code("不支持该操作", "Method not allowed"),
    "WRONG_STATE": Code("当前状态不允许该操作", "This cannot be done now"),
    "STALE_CASE": Code(
        "案件刚刚有变化",
        "The case has just changed",
        "另一操作先于您完成，请刷新后重试。",
        "Another change came first. Reload and try again.",
    ),
    "TASK_ALREADY_CLAIMED": Code(
        "任务已被认领",
        "The task is already claimed",
        "{assignee_name} 于 {claimed_at} 认领了该任务。",
        "{assignee_name} claimed it at {claimed_at}.",
    ),
    "NOT_ASSIGNEE": Code("您不是当前办理人", "You do not hold this task"),
    "OUT_OF_SCOPE": Code("超出您的管辖范围", "Outside your scope"),
    "NOT_STARTER": Code("您不能发起该流程", "You may not start this"),
    "NOT_SENDER": Code("您不能提交该事项", "You may not send this"),
    "NOT_LEADER": Code("仅省厅或本级领导可以操作", "Only the province or the leader of the authority may"),
    "TASK_DELEGATED": Code("任务已委派征求意见", "The task was lent out for an opinion"),
    "CASE_NOT_ACTIVE": Code("案件不在办理中", "The case is not active"),
    "TASK_NOT_CLAIMED": Code("任务尚未被您认领", "You have not claimed this task"),
    "TASK_COMPLETED": Code("任务已办结", "The task is completed"),
    "TASK_CANCELLED": Code("任务已撤销", "The task was cancelled"),
    "TASK_ON_HOLD": Code("任务已挂起", "The task is on hold"),
    "CASE_SUSPENDED": Code("案件已暂停", "The case is suspended"),
    "CASE_COMPLETED": Code("案件已办结", "The case has ended"),
    "CASE_LOCKED": Code("案件正在迁移", "The case is being migrated"),
    "NOTHING_WAITS": Code("案件当前不等待该事项", "Nothing in the case waits for this"),
    "VALIDATION": Code("内容有误", "The content has errors"),
    "BAD_DEFINITION": Code("流程包不能发布", "The package cannot be deployed"),
    "REPLAY_MISMATCH": Code("重放结果与记录不一致", "Replay differs from the record"),
    "GONE": Code("已经结束", "No longer there"),
    "DRAFT_STALE": Code(
        "草稿已在别处更新",
        "The draft was changed elsewhere",
        "请刷新以查看最新草稿；您刚输入的内容未覆盖它。",
        "Reload to see the newer draft; what you typed did not overwrite it.",
    ),
    "APPROVAL_VOID": Code("批准已失效", "The approval is void"),
    "FOUR_EYES": Code("须由第二人批准", "A second person has to approve"),
    "GATE_FAILED": Code("未通过发布检查", "A publishing gate failed"),
    "VERSION_RETIRED": Code("该版本已停用", "The version is retired"),
    "VERSION_IN_USE": Code("该版本仍有案件在用", "The version is in use"),
    "MIGRATION_INVALID": Code("迁移方案无效", "The migration is invalid"),
    "CALENDAR_MISSING": Code("缺少该年度的工作日历", "The calendar of that year is missing"),
    "IDEMPOTENCY_REUSED": Code("重复键用于不同内容", "The idempotency key was used for another request"),
    "PRECONDITION_REQUIRED": Code(
        "须说明所依据的版本",
        "Say which state you read",
        "请在 If-Match 中给出读取时的 ETag。",
        "Send the ETag you read as If-Match.",
    ),
    "PRECONDITION_FAILED": Code("内容已有更新", "It has changed since you read it"),
    "TOO_LARGE": Code("内容过大", "Too large"),
    "UNSUPPORTED_MEDIA_TYPE": Code("不支持的内容类型", "Unsupported content type"),
    "RATE_LIMITED": Code("操作过于频繁", "Too many requests"),
    "BUSY": Code("系统繁忙，请稍后再试", "Busy, try again soon"),
    "REJECTED": Code("操作被拒绝", "Refused"),
    "FAULT": Code(
        "系统出现错误",
        "Something went wrong",
        "我们已记录该错误。请凭编号联系管理员。",
        "The fault was recorded. Tell the administrator the number below.",
    ),
}
