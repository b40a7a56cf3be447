"""Passwords and keys that a sentence tells, in the languages of the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.assignments import OTHER_WORDS, is_path
from edgeagent.shield.detect.secret_values import is_attribute, is_name, is_placeholder, is_type, looks_random

__all__ = ["told"]

_TERMS: Final = """
password, passwd, passcode, passphrase, passwort, passwörter, passwords, kennwort, mot de passe, motdepasse,
mot_de_passe, mdp, contraseña, contrasena, clave, senha, parola, parolă, wachtwoord, hasło, haslo, пароль, şifre,
sifre, lösenord, passord, adgangskode, kodeord, salasana, パスワード, 暗証番号, 密码, 密碼, 口令, 비밀번호, 암호,
패스워드, كلمة المرور, كلمة السر, סיסמה, סיסמא, סיסמתי, รหัสผ่าน, पासवर्ड, heslo, jelszó, κωδικός, mật khẩu,
kata sandi, lozinka, pwd, pw, pin, psk, netzwerkschlüssel, wlan-schlüssel, palavra-passe, palavra passe,
비번, باسورد, الرقم السري, พาสเวิร์ด, รหัส wifi
"""


def _by_sign(names: Iterable[str]) -> dict[str, list[str]]:
    """The names by what is looked for first: a part that many share, or a character that few texts have."""
    signs: dict[str, list[str]] = {}
    for name in names:
        sign = "pass" if "pass" in name else "pw" if "pw" in name else name if name.isascii() else max(name)
        signs.setdefault(sign, []).append(name)
    return signs


_NAMES: Final = _by_sign(name.strip() for name in _TERMS.split(","))
_ASCII_NAMES: Final = {sign: list(filter(str.isascii, names)) for sign, names in _NAMES.items() if sign.isascii()}
_LINK: Final = re.compile(
    r"(?:-nya|[a-zäöüßéèąćęłńóśźżåæøışğ]{0,4})[\"'`)]?"
    r"(?:(?:[ \t]{1,2}[^\W\d]{1,14}){0,4}?[ \t]{0,2}"
    r"(?:(?:\b(?:is|was|be|from|lautet|ist|war|wird|wäre|sera|será|sarà|brzmi|będzie|bude|είναι|c['’]est|est|es|era|é|è|to|jest|är|er|on|это|je|olan|se|este|esta|está|là|ini|adalah)"
    r"(?=[\s:：\"'])|"
    r"[:=：→]|->|—|–|-(?=[ \t])|は|が|是|为|為|은|는|이|가|هي|هو|היא|הוא|คือ|है)[ \t:：]{0,3}){1,2}|"
    r"(?P<of>[ \t](?:for|do|da|de|del|du|fürs|für|van|voor|от|для|שלי)(?:[ \t][^\W\d]{2,14})?)?[ \t]{1,3})"
    r"(?P<quote>[\"'`“„«「『]?)(?P<value>[!-~]{5,80})"
)
_STRIPPED: Final = ".,;:)\"'`]}>"
_LOGIN: Final = re.compile(
    r"(?:user[ /]{1,3}pass(?:word)?|wifi|wlan|"
    r"login|logins|credentials|creds|account|user(?:name)?|anmeldung|zugang|zugangsdaten|identifiants?|accès|acceso|"
    r"accesso|dane logowania|inloggning)"
    r"(?:[ \t](?:with|as|are|is|mit|sind|avec|sont|con|com|met))?[ \t]{0,2}[:=]?[ \t]{1,2}(?P<user>[\w.@+-]{2,60})"
    r"(?:[ \t]{0,2}[/|,:][ \t]{0,2}|[ \t]{1,2}(?:and|und|et|y|e|i)[ \t]{1,2})(?P<value>[!-~]{6,80})",
    re.IGNORECASE,
)
_KEY_SENTENCE: Final = re.compile(
    r"(?:api[ -]?key|access[ -]?key|secret[ -]?key|key|token|secret|credential|schlüssel|clé|clave|chave|"
    r"chiave|klucz|sleutel|nyckel|nøkkel|avain|anahtar|ключ|токен|κλειδί|klíč|kulcs|cheie|khóa|kunci|مفتاح|מפתח|"
    r"トークン|キー|密钥|令牌|토큰|키)(?:[^\W\d]{0,3})(?: (?:de |d['’])?API)?[ \t]{0,2}"
    r"(?:is|:|：|=|→|->|-|–|—|lautet|ist|est|es|é|è|to|jest|är|er|on|это|は|是|은|는)?[ \t:：]{1,3}"
    r"[\"'`]?(?P<value>[A-Za-z0-9_./+=~:-]{12,400})",
    re.IGNORECASE,
)


def told(text: str, lowered: str, *, long: bool = True) -> Iterator[Match]:
    """Passwords and keys that a sentence names, in the languages of the vocabulary; keys where some word is `long`."""
    for sign, names in (_ASCII_NAMES if text.isascii() else _NAMES).items():
        if sign in lowered:
            for name in names:
                yield from _named(text, lowered, name)
    yield from _passes(text, lowered)
    yield from _logins(text, lowered)
    if not long:
        return
    if "api" in lowered:
        for hint in _API_HINTS:
            yield from _hinted(text, lowered, hint)
    for sign, hints in (_ASCII_HINTS if text.isascii() else _HINTS).items():
        if sign in lowered:
            for hint in hints:
                yield from _hinted(text, lowered, hint)


def _named(text: str, lowered: str, name: str) -> Iterator[Match]:
    at = lowered.find(name)
    while at >= 0:
        found = _after_name(text, at, at + len(name), bare=name in ("pin", "pw", "pwd", "psk", "clave"))
        if found is not None:
            yield found
        at = lowered.find(name, at + len(name))


def _hinted(text: str, lowered: str, hint: str) -> Iterator[Match]:
    at = lowered.find(hint)
    while at >= 0:
        end = at + len(hint)
        if lowered[end : end + 1] not in _NO_SENTENCE:
            found = _told_key(text, lowered, at, end)
            if found is not None:
                yield found
        at = lowered.find(hint, end)


def _told_key(text: str, lowered: str, at: int, end: int) -> Match | None:
    """The key that the word from `at` to `end` speaks of."""
    if max(map(len, text[end : end + _TILL_VALUE].split()), default=0) < _SHORTEST:
        return None
    sentence = _KEY_SENTENCE.match(text, at)
    if sentence is None or _other(lowered, at):
        return None
    value = sentence["value"].rstrip(_STRIPPED)
    if (
        len(value) < _LONG
        or not looks_random(value)
        or is_placeholder(value)
        or is_path(value)
        or not _very_random(value)
    ):
        return None
    return Match("API_KEY", sentence.start("value"), sentence.start("value") + len(value), 0.7, "sentence")


_LONG: Final = 16
"""Characters that a key has at least, where a sentence tells it; so that the word which it is in has as many."""
_SHORTEST: Final = 12
"""Characters that a key has at least, in `_KEY_SENTENCE`."""
_TILL_VALUE: Final = 40
"""Where so many of them must have come, behind the word: what stands between is shorter than 24."""
_NO_SENTENCE: Final = frozenset("_-./\\,;()[]{}<>|&*!?0123456789")
"""What follows the word where it is a name's first part, or the last of a sentence."""
_API_HINTS: Final = ("chave", "chiave", "klucz", "sleutel", "nyckel", "avain", "anahtar", "kulcs", "cheie", "kunci")
"""Words for keys of all kinds, but beside this one."""
_KEYS: Final = """
key, token, secret, schlüssel, clé, клю, トークン, キー, 密钥, 令牌, 토큰, 키, nøkkel, токен, κλειδί, klíč,
khóa, مفتاح, מפתח
"""
_HINTS: Final = _by_sign(hint.strip() for hint in _KEYS.split(","))
_ASCII_HINTS: Final = {sign: hints for sign, hints in _HINTS.items() if sign.isascii()}
_LOGINS: Final = (
    "login",
    "cred",
    "user",
    "wifi",
    "wlan",
    "anmeldung",
    "zugang",
    "identifiant",
    "acc",
    "dane log",
    "inlogg",
)


def _logins(text: str, lowered: str) -> Iterator[Match]:
    """`login: admin / Xk29!fj`."""
    for word in _LOGINS:
        at = lowered.find(word)
        while at >= 0:
            found = _LOGIN.match(text, at)
            if found is not None and not lowered[at - 1 : at].isalpha():
                value = found["value"].rstrip(_STRIPPED)
                if _strong(value) and not value.startswith(("http", "//")):
                    start = found.start("value")
                    yield Match("PASSWORD", start, start + len(value), 0.7, "sentence")
            at = lowered.find(word, at + len(word))


_PASS: Final = re.compile(
    r"pass[\"'`]?[ \t]{0,2}(?:=>|[:=]|is\b)[ \t]{0,3}"
    r"(?:(?P<quote>[\"'`])(?P<quoted>[!-~]{6,80}?)(?P=quote)|(?P<bare>[!-~]{6,80}))",
    re.IGNORECASE,
)


def _passes(text: str, lowered: str) -> Iterator[Match]:
    """`user: bob, pass: Xk29!fj`: short for a password, if what follows is one; it is also what tests do."""
    at = lowered.find("pass")
    while at >= 0:
        if lowered[at + 4 : at + 5] in _BEHIND_PASS:
            found = _PASS.match(text, at)
            if found is None:
                value, start = "", 0
            elif found["quote"]:
                value, start = found["quoted"], found.start("quoted")
            else:
                value, start = _NEXT.split(found["bare"], maxsplit=1)[0].rstrip(_STRIPPED), found.start("bare")
            if _varied(value) and not _joined(lowered, at):
                yield Match("PASSWORD", start, start + len(value), 0.7, "sentence")
        at = lowered.find("pass", at + 4)


_BEHIND_PASS: Final = frozenset(":= \t\"'`")


def _joined(lowered: str, at: int) -> bool:
    """Whether a word there is the end of another: `bypass`, `all_pass`."""
    before = lowered[at - 1 : at]
    return before.isalnum() or before in ("_", "-", ".")


def _varied(value: str) -> bool:
    """Whether it has three of these: small letters, capitals, digits, signs; and is no test's name and no path."""
    if value[:4].lower() == "test" or is_placeholder(value) or is_path(value) or is_type(value) or is_name(value):
        return False
    kinds = any(map(str.islower, value)) + any(map(str.isupper, value)) + any(map(str.isdigit, value))
    signs = {c for c in value if not c.isalnum()}
    return kinds + bool(signs - set("-_.")) >= 3 and not signs & set("/\\(:") and "__" not in value


_PREVIOUS: Final = re.compile(r"([^\W_]+)[ \t]+\Z")


def _other(lowered: str, at: int) -> bool:
    """Whether the word is the end of a longer one (`monkey`) or speaks of another kind of key (`cache key`)."""
    if _joined(lowered, at):
        return lowered[max(0, at - 4) : at].rstrip("-")[-3:] != "api"
    previous = _PREVIOUS.search(lowered[max(0, at - 24) : at])
    return previous is not None and previous[1] in OTHER_WORDS


def _very_random(value: str) -> bool:
    """Letters and digits mixed throughout: not a path, a slug or a version."""
    changes = sum(a.isdigit() != b.isdigit() for a, b in zip(value, islice(value, 1, None), strict=False))
    return changes >= 3


def _after_name(text: str, start: int, end: int, *, bare: bool) -> Match | None:
    before = text[start - 1 : start]
    if (before.isalnum() and before.isascii() and text[start].isascii()) or (
        before and before in ("_.-" if bare else "_.")
    ):
        return None
    found = _LINK.match(text, end) or (_ATTACHED.match(text, end) if text[end - 1] >= "\u3040" else None)
    if (
        found is None
        or (found.start("value") == end and found.re is _LINK)
        or (text[end : end + 1] in "_([.;,!?" and text[end : end + 1])
    ):
        return None
    value = found["value"]
    if found["quote"] and (close := value.find(_CLOSING.get(found["quote"], found["quote"]))) > 0:
        value = value[:close]
    value = _NEXT.split(value, maxsplit=1)[0].rstrip(_STRIPPED)
    if (
        not _strong(value)
        or (bare and not any(c.isdigit() for c in value))
        or (found["of"] and not _varied(value))
        or ("=" in text[end : found.start("value")] and not found["quote"] and is_attribute(value))
        or value.startswith(("http://", "https://", "$", "{", "<", "("))
    ):
        return None
    return Match("PASSWORD", found.start("value"), found.start("value") + len(value), 0.75, "sentence")


_ATTACHED: Final = re.compile(r"(?P<quote>)(?P<of>)(?P<value>[!-~]{6,80})")
"""Chinese, Japanese and Korean set no space between a word and what it names."""
_NEXT: Final = re.compile(r"[;&](?=[A-Za-z][\w.-]*=)")
"""Where the next part of a connection string or of a form starts."""
_CODE: Final = re.compile(r"[(\[{]|[A-Za-z_.]+[(\[]")
"""How an expression of a program starts."""
_CLOSING: Final = {"“": "”", "„": "“", "«": "»", "「": "」", "『": "』"}


def _strong(value: str) -> bool:
    """Whether a word of a sentence is a password rather than a word: digits, signs or capitals inside it."""
    if len(value) < 5 or is_placeholder(value) or _CODE.match(value) is not None:
        return False
    letters = sum(c.isalpha() for c in value)
    digits = sum(c.isdigit() for c in value)
    signs = len(value) - letters - digits
    inner = value.strip("-_.'’/\"`*?!")
    if digits and (letters or signs >= 1):
        return True
    if signs and any(not c.isalnum() and c not in "-_.'’/" for c in inner):
        return letters >= 4 and "=" not in value
    return digits >= 6 or (
        value.isalpha() and sum(c.isupper() for c in value[1:]) >= 2 and any(c.islower() for c in value)
    )
