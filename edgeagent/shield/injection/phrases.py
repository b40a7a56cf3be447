"""Phrases of attacks in English, by the word that they begin with. See `signs`."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["PHRASES", "Phrase"]


class Phrase(NamedTuple):
    """A sign's name, the head words (parted by spaces), and the pattern of what comes right after a head word."""

    sign: str
    heads: str
    tail: str


_QUALIFIERS: Final = (
    r"(?:(?:all|any|every|everything|the|your|those|these|my|our|of|in|from|about|to|with|prior|previous|preceding|above"
    r"|earlier|former|past|initial|original|foregoing|system|developer(?:'?s)?|existing|current|other|given|safety|ethical"
    r"|content|old|said|instruction|user(?:'?s)?|security|its|their|hidden|internal)[ ,]{1,3}){0,6}"
)
_OBJECTS: Final = (
    r"(?:instructions?|prompts?|rules?|guidelines?|guidance|directives?|directions?|restrictions?|messages?|orders?"
    r"|commands?|polic(?:y|ies)|programming|constraints?|training|safeguards|filters?|contexts?|limitations?|assignments?"
    r"|requests?|tasks?|text|conversation|content)\b"
)
_EARLIER: Final = r"\b(?:previous|prior|above|earlier|preceding|before|initial|original|foregoing|already)\b"

_IGNORE: Final = (
    "ignore ignores ignoring disregard disregarding forget forgetting skip override overrides overriding overrule "
    "bypass cancel discard neglect dismiss abandon erase drop delete omit"
)
_PHRASAL: Final = {
    "set put": " aside",
    "stop stopped quit": " (?:following|obeying|listening to)",
    "not don never longer dont": "(?:'t)? (?:follow|obey|heed|listen to|comply with)",
    "pay": " no (?:attention|heed) to",
}
"""Verbs of several words: the first word, and what comes after it."""

_OVERRIDES: Final = {
    "override": rf"[ ,]{{1,3}}{_QUALIFIERS}{_OBJECTS}",
    "override_earlier": rf"[^.\n]{{0,40}}?{_EARLIER}",
    "override_own": rf"[^.\n]{{0,24}}?\b(?:your|system|developer'?s?) (?:\w{{1,20}} )?{_OBJECTS}",
    "override_all": r" (?:about )?(?:everything|all(?: of)?(?: that| what)?|every \w{1,20}) "
    r"(?:you|we|i|that|above|before|previous|they|he|was|is|said|told|have)\b",
}

PHRASES: Final[tuple[Phrase, ...]] = (
    *(Phrase(name, _IGNORE, tail) for name, tail in _OVERRIDES.items()),
    *(Phrase(name, heads, verb + tail) for heads, verb in _PHRASAL.items() for name, tail in _OVERRIDES.items()),
    Phrase(
        "leak",
        "reveal print show display output repeat tell give list dump expose leak share copy paste write "
        "summarise summarize translate encode spell return recite disclose describe provide see say "
        "quote what start",
        r"[^.\n]{0,50}?\b(?:your|the|its|my|this) (?:\w{1,20} ){0,3}?(?:(?:system|initial|hidden|original"
        r"|secret|starting|internal|developer|first|full|entire|exact|base|pre)[ -]?(?:prompt"
        r"|instructions?|messages?|rules|guidelines?|config\w*|directives?)|prompt\b|instructions\b)",
    ),
    Phrase(
        "leak_above",
        "repeat print output show write copy translate everything text words content conversation dr "
        "summarise summarize what return",
        r"[^.\n]{0,40}?\b(?:above\b|written before|start of (?:this|the) (?:conversation|chat))",
    ),
    Phrase(
        "unrestricted",
        "unrestricted uncensored unfiltered jailbroken amoral unethical nofilter godmode unbound limitless unhinged",
        r"",
    ),
    Phrase(
        "unrestricted",
        "do",
        r" anything now\b",
    ),
    Phrase(
        "unrestricted",
        "god dev developer opposite sudo jailbreak dan",
        r" ?mode\b",
    ),
    Phrase(
        "unrestricted",
        "no without zero",
        r" (?:\w{1,20} )?(?:restrictions?|rules?|limits?|limitations|filters?|morals?|ethic\w*|censor\w*"
        r"|guidelines|boundaries|refus\w*|warnings?|disclaimers?)\b",
    ),
    Phrase(
        "unrestricted",
        "free freed broken escape",
        r" (?:of|from) (?:all |any |the )?(?:\w{1,20} ){0,2}(?:restrictions?|rules|polic\w+|limit\w*"
        r"|constraints|filters?|confines|censor\w*)\b",
    ),
    Phrase(
        "persona",
        "you",
        r"(?: are|'re) (?:now|going to)\b|'?(?:re| are| will be) (?:\w{1,20} ){0,4}?(?:dan|evil"
        r"|unrestricted)\b",
    ),
    Phrase(
        "persona",
        "from",
        r" now on,? (?:you|respond|answer|act|i want|reply)\b",
    ),
    Phrase(
        "persona",
        "act pretend roleplay behave",
        r"[^.\n]{0,40}?\b(?:dan|evil|unrestricted|uncensored|unfiltered|no rules|no rest\w+|without)\b",
    ),
    Phrase(
        "persona",
        "stay remain break",
        r" in character\b",
    ),
    Phrase(
        "persona",
        "dan",
        r" (?:mode|can|has|is|does|stands|prompt|will)\b",
    ),
    Phrase(
        "no_refusal",
        "never not don without cannot can won no",
        r"(?:'t)? (?:ever )?(?:refus\w+|apologi\w+|say no\b|decline|warn\w*|reject|disclaimers?)",
    ),
    Phrase(
        "no_refusal",
        "must will shall",
        r" (?:always )?(?:comply|obey)\b",
    ),
    Phrase(
        "no_refusal",
        "even regardless whether",
        r"[^.\n]{0,60}?\b(?:illegal|immoral|unethical|harmful)",
    ),
    Phrase(
        "no_refusal",
        "openai",
        r"(?:'s)? (?:\w{1,20} )?(?:polic|guidelines|rules)",
    ),
    Phrase(
        "no_refusal",
        "ethical moral",
        r" (?:guidelines|concerns|constraints|standards|code|principles)",
    ),
    Phrase(
        "new_task",
        "new updated update next additional real actual important following",
        r" (?:system )?(?:tasks?|instructions?|orders?|rules?|assignments?|request)\b",
    ),
    Phrase(
        "new_task",
        "task tasks",
        r" (?:is )?(?:complete|completed|done)\b",
    ),
    Phrase(
        "new_task",
        "neue neuen nueva nouvelle nuova nova nieuwe ny nowe novo новая новое нова",
        r" (?:\w{1,12} )?(?:anweisung|instruc\w+|consigne|istruzion\w+|instructie|instrukt\w+|instrukc\w+"
        r"|aufgabe|инструкц\w+|інструкц\w+)",
    ),
    Phrase(
        "addressed",
        "ai llm screening language automated",
        r"[ -](?:code )?(?:assistants?|models?|agents?|bots?|systems?)\b",
    ),
    Phrase(
        "addressed",
        "you",
        r", (?:the )?(?:ai|assistant|llm|model)\b",
    ),
    Phrase(
        "addressed",
        "note message instruction instructions notice",
        r" (?:to|for) (?:the |you|any )?(?:ai|assistant|llm|model|screening)",
    ),
    Phrase(
        "addressed",
        "assistant assistants model models agent agents bot bots",
        r" (?:reading|processing|that read|summari)",
    ),
    Phrase(
        "send_away",
        "send forward email mail post upload transfer exfiltrate",
        r"\b[^.\n]{0,80}?(?:https?://|www\.|@|\bto (?:us|gb|de|ch)\d{6}|\bconversation"
        r"|\blast \w{1,12} e-?mails|customer list|everything)",
    ),
    Phrase(
        "secret",
        "secret",
        r" (?:password|key|code)",
    ),
    Phrase(
        "secret",
        "api",
        r" keys?\b",
    ),
    Phrase(
        "secret",
        "your",
        r" (?:\w{1,20} )?(?:password|credentials|secrets?)\b",
    ),
    Phrase(
        "secret",
        "environment",
        r" variables",
    ),
    Phrase(
        "secret",
        "admin",
        r" (?:password|access)",
    ),
    Phrase(
        "secret",
        "registration access",
        r" token",
    ),
    Phrase(
        "tool_call",
        "call run execute invoke use",
        r" (?:the )?(?:\w{1,20}_\w{1,20}|(?:function|tool) \w)",
    ),
    Phrase(
        "only_answer",
        "reply replies respond answer say output print return",
        r"\b[^.\n]{0,16}?\b(?:only|exactly|nothing else)\b",
    ),
    Phrase(
        "decode_and_obey",
        "decode execute interpret apply reverse encode base64 hex translate decoded",
        r"[^.\n]{0,60}?\b(?:(?:and|then)\b,? (?:then )?(?:do|follow|comply|obey|execute|carry|run)\b"
        r"|do what)",
    ),
    Phrase(
        "shouting",
        "important urgent override alert attention",
        r" ?[!:]{1,3}",
    ),
    Phrase(
        "mode_switch",
        "enable enter activate switch activated",
        r" (?:to )?(?:\w{1,20} )?(?:maintenance|developer|debug|admin|god|root|sudo|dan|opposite"
        r"|system) mode\b",
    ),
    Phrase("mode_switch", "maintenance debug admin root sudo", r" mode\b"),
    Phrase(
        "mode_switch",
        "safety",
        r" (?:protocols?|filters?|checks?) (?:are |is )?(?:disabled|off)\b",
    ),
    Phrase(
        "mode_switch",
        "mode jailbreak",
        r":? (?:enabled|activated|on)\b",
    ),
    Phrase(
        "mode_switch",
        "modo",
        r" (?:de )?(?:mantenimiento|manutencao|manutenzione|desarrollador)",
    ),
    Phrase(
        "todo",
        "todo",
        r"(?: (?:for|to) [\w ]{1,20})?: [^\n]{0,80}?\b(?:ai|assistants?|agents?|copilot|llm|models?|instructions?"
        r"|ignore|disregard|reveal|prompt|password|exfil\w*|curl|eval|https?|disable|bypass)\b",
    ),
    Phrase(
        "about_the_reply",
        "your",
        r" (?:\w{1,20} )?(?:reply|repl(?:y|ies)|responses?|answers?|output|message|sentences|writing)\b",
    ),
)
