"""Secrets where a program's own syntax says so: arguments by their place, lines of `.pgpass`, cookies, seed phrases.

One row for each syntax: a character or a part of a word that it needs, a word that it has (in small letters), how the
value must look, and a pattern with the group `value`. The first two are looked for first, so that a text without them
costs next to nothing; a pattern is compiled when it is first needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final, NamedTuple

from edgeagent.shield.base import Match
from edgeagent.shield.detect.secret_values import is_placeholder, looks_random, looks_typed

__all__ = ["patterns", "written"]


class _Row(NamedTuple):
    needs: str
    word: str
    holds: Callable[[str], bool]
    type: str
    pattern: str


def _typed(value: str) -> bool:
    return looks_typed(value, quoted=True)


def _random(value: str) -> bool:
    return looks_random(value) and not is_placeholder(value)


def _strange(value: str) -> bool:
    """A password where nothing names one: a digit or a sign among letters."""
    return _typed(value) and any(map(str.isalpha, value)) and not value.replace("_", "").replace("-", "").isalpha()


_NAMED: Final = r"[\w./:@-]{0,60}(?:key|token|secret|passw|pwd)[\w-]{0,30}"
_OPTION_P: Final = r"\b[^\n|;]{0,80}?\s(?:-p|--password)[ =][\"']?(?P<value>[^\s\"']{4,120})"
_HTTPIE: Final = (
    r"(?:^|[\s;|])(?:https?|xhs?)\b[^\n|;]{{0,80}}?\s{option}[ =][\"']?[^\s\"':]{{1,60}}:(?P<value>[^\s\"']{{4,120}})"
)
_SET: Final = rf"\s+{_NAMED}\s+[\"']?(?P<value>[^\s\"'=]{{8,400}})"
_TWO: Final = r"\(\s?[\"'][^\"'\n]{1,80}[\"'],\s{0,4}[\"'](?P<value>[^\"'\n]{4,120})[\"']"
"""Two texts in brackets: a user and his password."""
_PGPASS: Final = r"(?m)^[\w.*-]{1,120}:(?:\d{4,5}|\*):[\w*-]{1,60}:[\w.@*-]{1,60}:(?P<value>[^\s:]{4,120})$"
_WORDS: Final = (
    r"\b[^\n\w]{0,6}(?:(?:is|ist|est|es)\b[\s:]{0,3})?[\"'`]?(?P<value>(?:[a-z]{3,8} ){11,23}[a-z]{3,8})(?![a-z])"
)
"""What stands behind the name of a seed phrase."""
_ROWS: Final = (
    # arguments of commands
    _Row("|", "-stdin", _typed, "PASSWORD",
        r"\becho\s+(?:-n\s+)?(?P<q>[\"']?)(?P<value>[^\s\"'|]{4,200})(?P=q)\s*\|[^\n|]{1,80}--password-stdin"
    ),
    _Row("|", "chpasswd", _typed, "PASSWORD",
        r"\becho\s+[\"']?[\w.-]{1,40}:(?P<value>[^\s\"'|]{4,80})[\"']?\s*\|\s*(?:sudo\s+)?chpasswd"
    ),
    _Row("/", "net use", _strange, "PASSWORD",
        r"(?i)\bnet\s+use\s+(?:[a-z*]:?\s+)?\\\\\S{1,200}\s+(?P<value>[^\s/]\S{3,80})\s+/user"
    ),
    _Row("%", " -u ", _typed, "PASSWORD", r"\s-U\s+[\"']?[\w.\\/-]{1,60}%(?P<value>[^\s\"']{4,80})"),
    _Row("-", "lftp", _typed, "PASSWORD",
        r"\blftp\b[^\n|;]{0,80}?\s-u\s*[\"']?[^\s\"',]{1,60},(?P<value>[^\s\"']{4,80})"
    ),
    _Row("-", "openssl", _typed, "PASSWORD",
        r"\bopenssl\s+\w[^\n|;]{0,160}?(?:\s-k\s+|pass:)(?P<value>[^\s\"']{4,80})"
    ),
    _Row("-", "pass ", _typed, "PASSWORD",
        r"\s-{1,2}(?:src|dest)?(?:store|key)pass\s+[\"']?(?P<value>[^\s\"':-][^\s\"']{3,80})"
    ),
    _Row("-", "htpasswd", _strange, "PASSWORD",
        r"\bhtpasswd\s+-[a-zA-Z]{0,6}b[a-zA-Z]{0,6}\s+\S{1,120}\s+\S{1,60}\s+[\"']?(?P<value>[^\s\"']{4,80})"
    ),
    _Row("-", "useradd", _strange, "PASSWORD", rf"\buseradd{_OPTION_P}"),
    _Row("-", "usermod", _strange, "PASSWORD", rf"\busermod{_OPTION_P}"),
    _Row("-", "az login", _strange, "PASSWORD",
        r"\baz\s+login\b[^\n|;]{0,160}?\s(?:-p|--password)[ =][\"']?(?P<value>[^\s\"']{4,120})"
    ),
    _Row("-", " -a", _typed, "PASSWORD", _HTTPIE.format(option="-a")),
    _Row("-", " --auth", _typed, "PASSWORD", _HTTPIE.format(option="--auth")),
    _Row("-", "--body", _random, "API_KEY",
        r"\bgh\s+secret\s+set\b[^\n|;]{0,80}?\s(?:-b|--body)[ =][\"']?(?P<value>[^\s\"']{8,400})"
    ),
    _Row("_", "setx", _random, "API_KEY", rf"(?i)\bsetx{_SET}"),
    _Row("_", "config set", _random, "API_KEY", rf"(?i)\bconfig set{_SET}"),
    _Row("_", "config:set", _random, "API_KEY", rf"(?i)\bconfig:set{_SET}"),
    _Row("_", "configure set", _random, "API_KEY", rf"(?i)\bconfigure set{_SET}"),
    # programs
    _Row("(", "auth=", _typed, "PASSWORD", rf"(?i)\bauth=\s?{_TWO}"),
    _Row("(", "auth =", _typed, "PASSWORD", rf"(?i)\bauth =\s?{_TWO}"),
    _Row("(", "auth(", _typed, "PASSWORD", rf"(?i)(?:basic|digest|proxy)auth{_TWO}"),
    _Row("(", "mysqli", _typed, "PASSWORD",
        r"(?i)\bmysqli(?:_connect)?\(\s?(?:[\"'][^\"'\n]{0,80}[\"'],\s{0,4}){2}[\"'](?P<value>[^\"'\n]{4,120})[\"'"
        r"]"
    ),
    _Row("(", "getconnection", _typed, "PASSWORD",
        r"(?i)\bgetconnection\([^,\n]{1,200},\s{0,4}\"[^\"\n]{1,80}\",\s{0,4}\"(?P<value>[^\"\n]{4,120})\""
    ),
    _Row("(", "fromhex", _random, "API_KEY",
        r"(?i)(?:key|secret|token|seed)\w{0,20}\s?=\s?(?:\w{1,20}\.)?fromhex\([\"'](?P<value>[0-9a-f]{32,512})[\"'"
        r"]"
    ),
    _Row("<", "value=", _random, "API_KEY",
        rf"(?i)\b(?:key|name)=\"{_NAMED}\"\s{{1,4}}value=\"(?P<value>[^\"\n<>]{{8,400}})\""
    ),
    _Row("-", "securestring", _typed, "PASSWORD",
        r"(?i)\bconvertto-securestring\s+(?:-string\s+)?[\"'](?P<value>[^\"'\n]{4,120})[\"']"
    ),
    _Row("pass", "name=", _typed, "PASSWORD",
        r"(?i)\bname=\"[\w.-]{0,60}passw(?:or)?d\">\s{0,4}(?P<value>[^<>\s]{4,120})\s{0,4}<"
    ),
    _Row("#", "#define", _random, "API_KEY",
        r"(?i)#define\s+\w{0,30}(?:key|token|secret)\w{0,10}\s+\"(?P<value>[^\"\s]{8,400})\""
    ),
    _Row("pass", "#define", _typed, "PASSWORD",
        r"(?i)#define\s+\w{0,30}pass(?:word|wd)?\w{0,10}\s+\"(?P<value>[^\"\s]{4,120})\""
    ),
    # lines and addresses
    _Row(":", "432:", _strange, "PASSWORD", _PGPASS),
    _Row(":", "*:*:", _strange, "PASSWORD", _PGPASS),
    _Row(":", "oracle:thin:", _typed, "URL_PASSWORD",
        r"(?i)oracle:thin:\w{1,60}/[\"']?(?P<value>[^\s@/\"']{4,120})[\"']?@"
    ),
    _Row(":", "dockerconfigjson", _random, "AUTH_HEADER",
        r"dockerconfigjson[\"']?:\s{0,4}[\"']?(?P<value>[A-Za-z0-9+/]{40,8000}={0,2})"
    ),
    _Row(":", "cookie", _random, "AUTH_HEADER",
        r"(?i)\bcookie[\"']?\s?[:=][^\n]{0,400}?(?:sess|\bsid|token|auth|remember)[\w.-]{0,40}=(?P<value>[\w.%+/~|"
        r"-]{16,4000})"
    ),
    _Row(":", "wifi:", _typed, "PASSWORD",
        r"\bWIFI:(?:[TSH]:[^;\n]{0,60};){1,3}P:(?P<value>[^;\n]{4,80});"
    ),
    _Row(":", "putty-user-key", bool, "PRIVATE_KEY",
        r"Private-Lines: \d{1,3}\r?\n(?P<value>(?:[A-Za-z0-9+/=]{4,80}(?:\r?\n|\Z)){1,200})"
    ),
    _Row("=", "sshpass=", _typed, "PASSWORD", r"\bSSHPASS=[\"']?(?P<value>[^\s\"']{4,120})"),
    _Row("'", "identified", _typed, "PASSWORD",
        r"(?i)\bidentified\s+(?:with\s+\S{1,60}\s+)?(?:by|as)\s+'(?P<value>[^'\n]{4,120})'"
    ),
    _Row("|", "sudo -s", _typed, "PASSWORD",
        r"\becho\s+(?:-e\s+)?(?P<q>[\"']?)(?P<value>[^\s\"'|]{4,200})(?P=q)\s*\|\s*sudo\s+-S\b"
    ),
    _Row("pass", "send", _typed, "PASSWORD",
        r"(?i)\bpass(?:word|phrase)[^\n]{0,60}?\bsend(?:line)?\s*\(?\"(?P<value>[^\"\\\n]{4,120})(?:\\?[rn])?[\"\n]"
    ),
    # words
    _Row("pass", "requirepass", _typed, "PASSWORD", r"\brequirepass\s+[\"']?(?P<value>[^\s\"']{4,200})"),
    _Row("secret", "enable ", _typed, "PASSWORD",
        r"(?m)^\s*enable\s+(?:secret|password)\s+(?:\d\s+)?(?P<value>\S{4,120})$"
    ),
    _Row("-", "snmp-server", _strange, "PASSWORD", r"\bsnmp-server\s+community\s+(?P<value>[^\s]{4,80})"),
    _Row("pass", " password from ", _strange, "PASSWORD",
        r"(?i)\spassword\sfrom\s\S{4,80}\sto\s[\"'`]?(?P<value>[^\s\"'`]{4,80})"
    ),
    _Row("pass", " password", _strange, "PASSWORD",
        r"(?i)(?<!\S)[\"'`]?(?P<value>[^\s\"'`]{5,80})[\"'`]?\s(?:is|as)\sthe\s(?:[a-z-]{2,12}\s)?password\b"
    ),
    _Row(" ", "phrase", bool, "PASSWORD", rf"(?i)\b(?:seed|recovery|backup|secret)[ _-]?phrase{_WORDS}"),
    _Row(" ", "mnemonic", bool, "PASSWORD", rf"(?i)\bmnemonic{_WORDS}"),
)  # fmt: skip


def written(text: str, lowered: str) -> Iterator[Match]:
    """What a program's syntax says to be a secret."""
    for needed, rows in _BY_CHARACTER.items():
        if needed in lowered:
            for row in rows:
                if row.word in lowered:
                    for found in _compiled(row.pattern).finditer(text):
                        if row.holds(found["value"]):
                            yield Match(row.type, *found.span("value"), 0.8, "syntax")


_compiled: Final = cache(re.compile)


def patterns() -> list[re.Pattern[str]]:
    """Those of all rows."""
    return [_compiled(row.pattern) for row in _ROWS]


_BY_CHARACTER: Final = {
    needed: tuple(row for row in _ROWS if row.needs == needed) for needed in dict.fromkeys(row.needs for row in _ROWS)
}
