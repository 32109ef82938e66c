"""The cause that a registry states when it refuses credentials: expired, or an access token instead of a password.

A cause counts when the registry states it alone: by a known code, or by a known sentence as a whole. It does not count
in a list of possibilities ("wrong, expired, or lacks a scope"; "bad password; expired token"), in a page, or in a user
name that is repeated.
"""

import re

from .answer import Answer
from .reason import Reason

_LONGEST = 600
"""Characters of a text that is read: a longer one is a page or a manual."""
_CODES = {
    **dict.fromkeys(
        (
            *(
                "tokenexpired",
                "expiredtoken",
                "expiredtokenexception",
                "passwordexpired",
                "credentialsexpired",
            ),
            *("expiredcredentials", "sessionexpired", "authtokenexpired", "accesstokenexpired", "jwtexpired"),
        ),
        Reason.CREDENTIALS_EXPIRED,
    ),
    **dict.fromkeys(
        ("patrequired", "personalaccesstokenrequired", "twofactorrequired", "mfarequired", "2farequired"),
        Reason.PAT_REQUIRED,
    ),
}
_THING = r"(?:token|password|credentials?|session|secret|key|jwt|pat)"
_KINDS = (
    "the|your|this|provided|given|supplied|robot|account|user|authorization|authentication|auth|oauth|oidc|access|login|"
    "session|security|registry|personal|identity|id|docker|api|bearer|refresh|deploy|temporary|app specific|application"
)
_FACTORS = r"(?:2fa|mfa|two[- ]factor(?: authentication)?|multi[- ]factor(?: authentication)?)"
_PAT = r"(?:(?:a|an|your|the) )?personal access token(?: \(pat\))?"
_SENTENCES = (
    (
        Reason.CREDENTIALS_EXPIRED,
        rf"(?:(?:{_KINDS}) ){{0,4}}{_THING} (?:(?:included in the request|provided|supplied|given) )?"
        r"(?:(?:has|have|is|are|was) )?(?:already )?expired(?: (?:by|at) [0-9][\w.:+-]*)?"
        r"(?: and (?:must|has to|have to|needs? to) be (?:changed|reset|renewed|replaced))?",
    ),
    (Reason.CREDENTIALS_EXPIRED, rf"expired {_THING}"),
    (
        Reason.CREDENTIALS_EXPIRED,
        r"(?:您的|你的|该|此)?(?:访问|登录|授权|认证|临时)?(?:令牌|密码|凭证|凭据|口令|会话|token) ?已?经?过期了?",
    ),
    (
        Reason.PAT_REQUIRED,
        rf"(?:you (?:must|have to|need to) |please )?(?:use|provide|create) {_PAT}(?: (?:with|instead|to)\b.*)?",
    ),
    (
        Reason.PAT_REQUIRED,
        rf"(?:(?:your|this|the) account|you) (?:must|has to|have to|needs? to) (?:log|sign) in (?:with|using) {_PAT}",
    ),
    (Reason.PAT_REQUIRED, rf"{_PAT} (?:is|are) (?:needed|required)(?: (?:to|for) .*)?"),
    (Reason.PAT_REQUIRED, rf"requires? (?:{_FACTORS}|{_PAT})"),
    (
        Reason.PAT_REQUIRED,
        rf"(?:(?:your|this|the) account (?:has|uses) )?{_FACTORS}(?: is)? (?:on|enabled|required|needed)"
        r"(?: (?:for|on) (?:your|this|the) account)?",
    ),
    (Reason.PAT_REQUIRED, r"(?:请)?(?:使用|改用)个人访问令牌(?:代替密码)?|(?:需要|必须使用)个人访问令牌"),
)
_WHOLE = {
    "token failed verification: expired": Reason.CREDENTIALS_EXPIRED,  # Artifactory
    "token has invalid claims: token is expired": Reason.CREDENTIALS_EXPIRED,  # golang-jwt
    "client login with unencrypted passwords is disabled. please generate an encrypted password in the user admin "
    "panel for use here.": Reason.PAT_REQUIRED,  # Quay
}
"""Texts that are known as a whole, with signs that end a sentence and words of doubt."""
_KNOWN = tuple((reason, re.compile(sentence)) for reason, sentence in _SENTENCES)
# The text names several causes, or none for certain.
_POSSIBLE = re.compile(
    r"\b(?:or|if|may|might|maybe|perhaps|could|can|either|unless|whether|possibly|possible|likely|not|wrong|incorrect|"
    r"invalid|unknown|when|in case)\b|n't\b|或|可能|如果|若|是否|错误|不正确|无效|未"
)
# A sentence beside the known one that may be another cause, unless it is advice.
_OTHER = re.compile(
    r"\b(?:pass(?:word|phrase|code)s?|tokens?|credentials?|scopes?|permissions?|secrets?|keys?|revoked|disabled|locked|"
    r"missing|bad|mismatch(?:ed)?|no such)\b|密码|口令|令牌|凭证|凭据|权限|禁用|锁定"
)
_ADVICE = re.compile(
    r"(?:you (?:must|have to|need to|should) )?(?:please|then|and|to|for|run|use|log|sign|get|generate|create|renew|"
    r"refresh|request|change|set|update|re-?\w+|contact|ask|see|learn|visit)\b|请"
)
_END = re.compile(r"[.!?;:]+(?:\s+|$)|[。！？；：，]|[\r\n]+|\s[-|\u2013\u2014]\s|, ")


def stated_cause(answer: Answer, username: str = "") -> Reason | None:
    """CREDENTIALS_EXPIRED or PAT_REQUIRED where the body of a refusal states that one cause; None otherwise.
    `username` is the user name that was refused: one that reads like a cause counts nowhere."""
    if not answer.complete:
        return None
    name = username if _of_text(username, "") else ""
    document = answer.document
    if document is None:
        kind = (answer.header("content-type") or "").partition(";")[0].strip().lower()
        return _of_text(answer.text, name) if kind in ("", "text/plain") else None
    entries = document.get("errors") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        entries = [document]
    causes = {_of_entry(entry, name) for entry in entries[:20]}
    return causes.pop() if len(causes) == 1 else None


def _of_entry(entry: object, name: str) -> Reason | None:
    if not isinstance(entry, dict):
        return None
    for field in ("code", "error"):
        code = entry.get(field)
        if isinstance(code, str) and len(code) <= 64:
            found = _CODES.get(re.sub(r"[\W_]", "", code).lower())
            if found is not None:
                return found
    texts = [entry.get(field) for field in ("message", "error_description", "details", "detail")]
    return _of_text("\n".join(text for text in texts if isinstance(text, str)), name)


def _of_text(text: str, name: str) -> Reason | None:
    """The cause of a text of one or more sentences, one of which is known as a whole, and none of which may be another
    cause. A text with the name has none."""
    if len(text) > _LONGEST or "<" in text or (name and name.lower() in text.lower()):
        return None
    text = text.strip().lower()
    if text in _WHOLE:
        return _WHOLE[text]
    if _POSSIBLE.search(text):
        return None
    causes: set[Reason | None] = set()
    for sentence in (" ".join(it.split()) for it in _END.split(text)):
        found = _known(sentence)
        if found is not None or (_OTHER.search(sentence) and not _ADVICE.match(sentence)):
            causes.add(found)
    return causes.pop() if len(causes) == 1 else None


def _known(sentence: str) -> Reason | None:
    return next((reason for reason, known in _KNOWN if known.fullmatch(sentence)), None)
