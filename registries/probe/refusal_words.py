"""The cause that a registry states when it refuses credentials: expired, or an access token instead of a password.

A cause counts when the registry states it alone: by a known code, or by a known sentence as a whole. It does not count
in a list of possibilities ("wrong, expired, or lacks a scope"), in a page, or in a user name that is repeated.
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
            *("expiredcredentials", "sessionexpired", "authtokenexpired"),
        ),
        Reason.CREDENTIALS_EXPIRED,
    ),
    **dict.fromkeys(
        ("patrequired", "personalaccesstokenrequired", "twofactorrequired", "mfarequired", "2farequired"),
        Reason.PAT_REQUIRED,
    ),
}
_THING = r"(?:token|password|credentials?|session|secret|key)"
_KINDS = (
    "the|your|this|provided|given|supplied|robot|account|user|authorization|authentication|auth|access|login|session|"
    "security|registry|personal|identity|docker|api"
)
_FACTORS = r"(?:2fa|mfa|two[- ]factor(?: authentication)?|multi[- ]factor(?: authentication)?)"
_PAT = r"(?:(?:a|an|your|the) )?personal access token"
_SENTENCES = (
    (
        Reason.CREDENTIALS_EXPIRED,
        rf"(?:(?:{_KINDS}) ){{0,4}}{_THING} (?:(?:has|have|is|are|was) )?(?:already )?expired",
    ),
    (Reason.CREDENTIALS_EXPIRED, rf"expired {_THING}"),
    (
        Reason.CREDENTIALS_EXPIRED,
        r"(?:您的|你的|该|此)?(?:访问|登录|授权|认证)?(?:令牌|密码|凭证|凭据|口令|会话)已?经?过期了?",
    ),
    (
        Reason.PAT_REQUIRED,
        rf"(?:you (?:must|have to|need to) |please )?(?:use|provide|create) {_PAT}(?: (?:with|instead|to) .*)?",
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
_KNOWN = tuple((reason, re.compile(sentence)) for reason, sentence in _SENTENCES)
# The text names several causes, or none for certain.
_POSSIBLE = re.compile(
    r"\b(?:or|if|may|might|maybe|perhaps|could|can|either|unless|whether|possibly|possible|likely|not|wrong|incorrect|"
    r"invalid|unknown|when|in case)\b|n't\b|或|可能|如果|若|是否|错误|不正确|无效|未"
)
_END = re.compile(r"[.!?;:]+(?:\s+|$)|[。！？；：，]|[\r\n]+|\s[-\u2013\u2014]\s|, ")


def stated_cause(answer: Answer) -> Reason | None:
    """CREDENTIALS_EXPIRED or PAT_REQUIRED where the body of a refusal states that one cause; None otherwise."""
    if not answer.complete:
        return None
    document = answer.document
    if document is None:
        kind = (answer.header("content-type") or "").partition(";")[0].strip().lower()
        return _of_text(answer.text) if kind in ("", "text/plain") else None
    entries = document.get("errors") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        entries = [document]
    causes = {_of_entry(entry) for entry in entries[:20]}
    return causes.pop() if len(causes) == 1 else None


def _of_entry(entry: object) -> Reason | None:
    if not isinstance(entry, dict):
        return None
    for name in ("code", "error"):
        code = entry.get(name)
        if isinstance(code, str) and len(code) <= 64:
            found = _CODES.get(re.sub(r"[\W_]", "", code).lower())
            if found is not None:
                return found
    texts = [entry.get(name) for name in ("message", "error_description", "details", "detail")]
    return _of_text("\n".join(text for text in texts if isinstance(text, str)))


def _of_text(text: str) -> Reason | None:
    """The cause of a text of one or more sentences, one of which is known as a whole."""
    if len(text) > _LONGEST or "<" in text or _POSSIBLE.search(text := text.strip().lower()):
        return None
    causes = {
        reason
        for sentence in _END.split(text)
        for reason, known in _KNOWN
        if known.fullmatch(" ".join(sentence.split()))
    }
    return causes.pop() if len(causes) == 1 else None
