r"""Keys and tokens whose vendors gave them a form of their own: a literal that each holds, and the whole form.

One row for each form: type, literal, pattern. The literal is looked for first, so that a form costs next to nothing in
a text without it. In a pattern `%a` is `[A-Za-z0-9]`, `%h` is `[0-9a-f]`, `%w` is `[A-Za-z0-9_-]`. Patterns have no
nested repetition.

Sources: the vendors' documentation, and the rules that gitleaks (https://github.com/gitleaks/gitleaks) and GitHub's
secret scanning (https://docs.github.com/code-security/secret-scanning) publish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple, TypeAlias

__all__ = ["Format", "Formats", "formats", "runs"]


class Format(NamedTuple):
    """One vendor's form of a key."""

    type: str
    literal: str
    pattern: re.Pattern[str]


_ROWS: Final = r"""
OPENAI_API_KEY T3BlbkFJ sk-(?:proj-|svcacct-|admin-|None-)?%w{16,160}T3BlbkFJ%w{16,160}
OPENAI_API_KEY sk- sk-(?:proj|svcacct|admin|None)-%w{20,300}
OPENAI_API_KEY sk- sk-%a{40,64}
DEEPSEEK_API_KEY sk- sk-[0-9a-f]{32}
OPENROUTER_API_KEY sk-or- sk-or-v1-%h{32,64}
ANTHROPIC_API_KEY sk-ant- sk-ant-(?:api|admin|oat|sid)\d\d-%w{20,200}
ANTHROPIC_API_KEY sk-ant- sk-ant-%w{24,200}
GROQ_API_KEY gsk_ gsk_%a{30,64}
XAI_API_KEY xai- xai-%w{40,120}
PERPLEXITY_API_KEY pplx- pplx-%a{32,64}
REPLICATE_TOKEN r8_ r8_[A-Za-z0-9_-]{30,60}
HUGGINGFACE_TOKEN hf_ hf_(?:(?=[a-z]{0,40}[A-Z0-9])%a{30,48}|[a-z]{34})
HUGGINGFACE_TOKEN api_org_ api_org_[A-Za-z]{34}
API_KEY fw_ fw_%a{20,40}
API_KEY tgp_v1_ tgp_v1_%w{40,60}
API_KEY nvapi- nvapi-%w{40,90}
API_KEY csk- csk-[a-z0-9]{40,60}
API_KEY pcsk_ pcsk_[A-Za-z0-9_]{40,90}
API_KEY tvly- tvly-(?:dev-|prod-)?%w{20,60}
API_KEY lsv2_ lsv2_(?:pt|sk)_%h{32}_%h{10}
API_KEY ls__ ls__%h{32}
API_KEY pk-lf- pk-lf-%h{8}(?:-%h{4}){3}-%h{12}
API_KEY sk-lf- sk-lf-%h{8}(?:-%h{4}){3}-%h{12}
API_KEY jina_ jina_%a{40,70}
API_KEY vck_ vck_%a{24,60}
API_KEY vcp_ vcp_%a{24,60}
API_KEY vci_ vci_%a{24,60}
API_KEY sk_ sk_%h{48}
API_KEY fc- fc-%h{32}
API_KEY e2b_ e2b_%h{40}
API_KEY rpa_ rpa_[A-Z0-9]{40,50}
API_KEY llx- llx-%a{40,64}
API_KEY sk_car_ sk_car_%a{20,40}
GITHUB_TOKEN ghp_ ghp_%a{36,251}
GITHUB_TOKEN gho_ gho_%a{36,251}
GITHUB_TOKEN ghu_ ghu_%a{36,251}
GITHUB_TOKEN ghs_ ghs_%a{36,251}
GITHUB_TOKEN ghr_ ghr_%a{36,251}
GITHUB_TOKEN github_pat_ github_pat_[A-Za-z0-9_]{36,251}
GITLAB_TOKEN glpat- glpat-%w{20,60}(?:\.%w{2}\.%w{7,9}|\.%h{2}\.%a{9})?
GITLAB_TOKEN glptt- glptt-%h{40}
GITLAB_TOKEN GR1348941 GR1348941%w{20}
GITLAB_TOKEN glrt- glrt-(?:t\d_)?%w{20,60}(?:\.[a-z0-9]{2,12})?
GITLAB_TOKEN glrtr- glrtr-%w{20,60}
GITLAB_TOKEN glcbt- glcbt-%w{20,60}
GITLAB_TOKEN gldt- gldt-%w{20,60}
GITLAB_TOKEN glft- glft-%w{20,60}
GITLAB_TOKEN glffct- glffct-%w{20,60}
GITLAB_TOKEN glimt- glimt-%w{20,60}
GITLAB_TOKEN glagent- glagent-%w{40,60}
GITLAB_TOKEN gloas- gloas-%w{60,66}
GITLAB_TOKEN glsoat- glsoat-%w{20,60}
SLACK_TOKEN xoxb- xoxb-\d{10,13}-\d{10,13}[A-Za-z0-9-]*
SLACK_TOKEN xoxb- xoxb-\d{8,14}-[A-Za-z0-9]{18,26}
SLACK_TOKEN xoxp- xoxp(?:-\d{10,13}){3}-[A-Za-z0-9-]{28,34}
SLACK_TOKEN xoxe- xoxe(?:-\d{10,13}){3}-[A-Za-z0-9-]{28,34}
SLACK_TOKEN xoxo- xoxo-\d+-\d+-\d+-[a-fA-F0-9]+
SLACK_TOKEN xoxs- xoxs-\d+-\d+-\d+-[a-fA-F0-9]+
SLACK_TOKEN xoxa- xoxa-(?:\d-)?[A-Za-z0-9]{8,48}
SLACK_TOKEN xoxr- xoxr-(?:\d-)?[A-Za-z0-9]{8,48}
SLACK_TOKEN xoxd- xoxd-[A-Za-z0-9%+/=-]{60,400}
SLACK_TOKEN xoxe xoxe(?:\.xox[bp])?-\d-[A-Za-z0-9]{100,200}
SLACK_TOKEN xapp- xapp-\d-[A-Za-z0-9]{6,20}-\d{6,20}-[a-z0-9]{32,80}
SLACK_WEBHOOK hooks.slack.com https?://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{30,90}
API_KEY discord.com/api/webhooks https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/%w{60,80}
API_KEY webhook.office.com https://[a-z0-9-]{1,60}\.webhook\.office\.com/webhookb2/[A-Za-z0-9@/-]{80,200}
API_KEY hooks.zapier.com https://hooks\.zapier\.com/hooks/catch/\d{5,12}/%a{5,12}
AWS_ACCESS_KEY_ID A3T A3T[A-Z0-9][A-Z0-9]{16}
AWS_ACCESS_KEY_ID AKIA AKIA[A-Z0-9]{16}
AWS_ACCESS_KEY_ID ASIA ASIA[A-Z0-9]{16}
AWS_ACCESS_KEY_ID ABIA ABIA[A-Z0-9]{16}
AWS_ACCESS_KEY_ID ACCA ACCA[A-Z0-9]{16}
AWS_BEDROCK_KEY ABSK ABSK[A-Za-z0-9+/]{100,269}={0,2}
AWS_BEDROCK_KEY bedrock-api-key- bedrock-api-key-[A-Za-z0-9+/]{40,400}={0,2}
API_KEY amzn.mws. amzn\.mws\.%h{8}(?:-%h{4}){3}-%h{12}
GOOGLE_API_KEY AIza AIza%w{35}
GOOGLE_OAUTH_SECRET GOCSPX- GOCSPX-%w{28}
GOOGLE_OAUTH_SECRET ya29. ya29\.%w{30,300}
GOOGLE_OAUTH_SECRET 1// 1//0%w{40,120}
AZURE_CLIENT_SECRET Q~ (?<![~._-])[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![~_-])
AZURE_STORAGE_KEY AccountKey= (?<=AccountKey=)[A-Za-z0-9+/]{86}==
API_KEY sig= sig=[A-Za-z0-9%]{40,70}
API_KEY AzCa [A-Za-z0-9_-]{44}AzCa[A-Za-z0-9+/]{5}=?
API_KEY AIoT [A-Za-z0-9+/]{33}AIoT[A-Za-z0-9+/]{7}=
STRIPE_KEY sk_live_ sk_live_%a{10,250}
STRIPE_KEY sk_test_ sk_test_%a{10,250}
STRIPE_KEY rk_live_ rk_live_%a{10,250}
STRIPE_KEY rk_test_ rk_test_%a{10,250}
STRIPE_KEY sk_prod_ sk_prod_%a{10,250}
STRIPE_KEY rk_prod_ rk_prod_%a{10,250}
STRIPE_KEY whsec_ whsec_[A-Za-z0-9+/=]{24,80}
API_KEY EAAA EAAA[A-Za-z0-9_-]{22,80}
API_KEY sq0 sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,60}
API_KEY access_token$ access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$%h{32}
API_KEY access-production- access-production-%h{8}(?:-%h{4}){3}-%h{12}
API_KEY access-sandbox- access-sandbox-%h{8}(?:-%h{4}){3}-%h{12}
API_KEY access-development- access-development-%h{8}(?:-%h{4}){3}-%h{12}
API_KEY FLWSECK FLWSECK(?:_TEST)?-[0-9a-zA-Z]{12,40}(?:-X)?
API_KEY FLWPUBK FLWPUBK(?:_TEST)?-[0-9a-zA-Z]{12,40}(?:-X)?
API_KEY rzp_ rzp_(?:live|test)_%a{14,24}
API_KEY _pub_ (?:live|test)_pub_%h{31}
API_KEY live_ live_[A-Za-z0-9]{30,60}
API_KEY test_ test_[A-Za-z0-9]{30,60}
API_KEY shippo_ shippo_(?:live|test)_%h{40}
API_KEY EZ EZ[AT]K[a-zA-Z0-9]{54}
API_KEY duffel_ duffel_(?:test|live)_[A-Za-z0-9_=-]{43}
API_KEY fio-u- fio-u-%w{40,90}
TWILIO_KEY SK SK[0-9a-fA-F]{32}
TWILIO_KEY AC AC%h{32}
SENDGRID_KEY SG. SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_=.-]{30,64}
MAILGUN_KEY key- key-%h{32}
MAILGUN_KEY pubkey- pubkey-%h{32}
API_KEY -us %h{32}-us\d{1,2}
API_KEY xkeysib- xkeysib-%h{64}-%a{16}
API_KEY xsmtpsib- xsmtpsib-%h{64}-%a{16}
API_KEY re_ re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}
SHOPIFY_TOKEN shpat_ shpat_[a-fA-F0-9]{32}
SHOPIFY_TOKEN shpca_ shpca_[a-fA-F0-9]{32}
SHOPIFY_TOKEN shppa_ shppa_[a-fA-F0-9]{32}
SHOPIFY_TOKEN shpss_ shpss_[a-fA-F0-9]{32}
NPM_TOKEN npm_ npm_%a{36}
PYPI_TOKEN pypi- pypi-AgE[A-Za-z0-9_-]{40,1000}
API_KEY rubygems_ rubygems_%h{48}
API_KEY CLOJARS_ CLOJARS_[a-z0-9]{60}
API_KEY oy2 oy2[a-z0-9]{43}
DOCKERHUB_TOKEN dckr_ dckr_(?:pat|oat)_%w{20,60}
DIGITALOCEAN_TOKEN do do[opr]_v1_%h{64}
DISCORD_TOKEN . [MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}
DISCORD_TOKEN mfa. mfa\.[A-Za-z0-9_-]{80,95}
TELEGRAM_BOT_TOKEN :A \d{5,16}:A[A-Za-z0-9_-]{34}
VAULT_TOKEN hvs. hvs\.%w{24,200}
VAULT_TOKEN hvb. hvb\.%w{24,300}
VAULT_TOKEN hvr. hvr\.%w{24,300}
VAULT_TOKEN s. s\.(?=[A-Za-z]{0,23}\d)(?=[a-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}
API_KEY .atlasv1. [A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}
DATABRICKS_TOKEN dapi dapi%h{32}(?:-\d)?
DATABRICKS_TOKEN dose dose%h{32}
NOTION_TOKEN secret_ secret_%a{43}
NOTION_TOKEN ntn_ ntn_%a{40,60}
LINEAR_KEY lin_api_ lin_api_%a{40}
LINEAR_KEY lin_oauth_ lin_oauth_%h{64}
POSTMAN_KEY PMAK- PMAK-%h{24}-%h{34}
GRAFANA_TOKEN glsa_ glsa_%a{32}_[0-9a-fA-F]{8}
GRAFANA_TOKEN glc_ glc_[A-Za-z0-9+/]{32,400}={0,3}
GRAFANA_TOKEN eyJrIjoi eyJrIjoi[A-Za-z0-9]{60,400}={0,3}
API_KEY ATATT3 ATATT3[A-Za-z0-9_=-]{150,220}
API_KEY ATCTT3 ATCTT3[A-Za-z0-9_=-]{150,220}
API_KEY ATBB ATBB[A-Za-z0-9]{32}
API_KEY NRAK- NRAK-[A-Z0-9]{27}
API_KEY NRJS- NRJS-[a-f0-9]{19}
API_KEY NRII- NRII-[A-Za-z0-9-]{32}
API_KEY NRAL %h{36}NRAL
API_KEY dt0c01. dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}
API_KEY sntrys_ sntrys_[A-Za-z0-9+/=_-]{80,400}
API_KEY sntryu_ sntryu_%h{64}
API_KEY phx_ phx_[A-Za-z0-9_-]{40,60}
API_KEY phc_ phc_[A-Za-z0-9_-]{40,60}
API_KEY dp. dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?%a{40,44}
API_KEY pscale_ pscale_(?:pw|tkn|oauth)_[A-Za-z0-9_=.-]{30,64}
API_KEY pul- pul-%h{40}
API_KEY PMAT- PMAT-[0-9A-Z]{26}
API_KEY rdme_ rdme_[a-z0-9]{70}
API_KEY sgp_ sgp_(?:(?:%h{16}|local)_)?%h{40}
API_KEY pnu_ pnu_%a{36}
API_KEY pnb_ pnb_%a{36}
API_KEY pat pat%a{14}\.%h{64}
API_KEY pat. pat\.[A-Za-z0-9_-]{22}\.[0-9a-zA-Z]{24}\.[0-9a-zA-Z]{20}
API_KEY sat. sat\.[A-Za-z0-9_-]{22}\.[0-9a-zA-Z]{24}\.[0-9a-zA-Z]{20}
API_KEY pat- pat-(?:na|eu|ap)\d-%h{8}(?:-%h{4}){3}-%h{12}
API_KEY LTAI LTAI[A-Za-z0-9]{12,24}
API_KEY AKID AKID[A-Za-z0-9]{32}
API_KEY AKC AKC[A-Za-z0-9]{60,80}
API_KEY cmVmd cmVmd[A-Za-z0-9]{59}
API_KEY p8e- p8e-[a-z0-9]{32}
API_KEY xprv xprv[1-9A-HJ-NP-Za-km-z]{107}
API_KEY yprv yprv[1-9A-HJ-NP-Za-km-z]{107}
API_KEY zprv zprv[1-9A-HJ-NP-Za-km-z]{107}
API_KEY AGE-SECRET-KEY- AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}
API_KEY A3- A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}
API_KEY ops_eyJ ops_eyJ[A-Za-z0-9+/_-]{100,1200}={0,3}
API_KEY v1.0- v1\.0-%h{24}-%h{146}
API_KEY t1. t1\.[A-Z0-9a-z_-]{1,200}={0,2}\.[A-Z0-9a-z_-]{86}={0,2}
API_KEY AQVN AQVN[A-Za-z0-9_-]{35,38}
API_KEY YC YC[a-zA-Z0-9_-]{38}
API_KEY sm_ sm_(?:aat|pat|sat)_[A-Za-z0-9]{16,40}
API_KEY s-s4t2 s-s4t2(?:ud|af)-%h{64}
API_KEY sc_ sc_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.(?:acc|app|api)[_-][A-Za-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}
API_KEY authress_ authress_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][A-Za-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}
API_KEY ext_ ext_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][A-Za-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}
API_KEY AAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAA[A-Za-z0-9%]{60,120}
API_KEY EAA EAA[A-Za-z0-9]{100,250}
API_KEY IGQV IGQV[A-Za-z0-9_-]{100,250}
API_KEY | \d{15,16}(?:\||%)[0-9A-Za-z_-]{27,40}
API_KEY sl. sl\.(?:u\.)?[A-Za-z0-9_=-]{100,1500}
API_KEY figd_ figd_%w{40,60}
API_KEY CFPAT- CFPAT-%w{43}
API_KEY ION_ ION_%a{42}
API_KEY tfp_ tfp_[A-Za-z0-9_.=-]{59}
API_KEY sbp_ sbp_(?:v0_)?%h{40}
API_KEY sb_secret_ sb_secret_%w{20,60}
API_KEY tskey- tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,60}
API_KEY nfp_ nfp_%a{36}
API_KEY fm fm[12][ar]?_[A-Za-z0-9+/]{80,600}={0,3}
API_KEY fo1_ fo1_%w{43}
API_KEY HRKU- HRKU-(?:AA)?[A-Za-z0-9_-]{36,66}
API_KEY rnd_ rnd_%a{28,40}
API_KEY bkua_ bkua_%h{40}
API_KEY CCIPAT_ CCIP(?:AT|RJ)_[A-Za-z0-9]{10,40}_%h{40}
API_KEY sqp_ sqp_%h{40}
API_KEY squ_ squ_%h{40}
API_KEY sqa_ sqa_%h{40}
API_KEY apify_api_ apify_api_[A-Za-z0-9]{34,40}
API_KEY dvc_ dvc_(?:server|client|mobile)_%a{10,40}_%h{16,40}
API_KEY api- api-%h{8}(?:-%h{4}){3}-%h{12}
API_KEY mdb_sa_ mdb_sa_(?:id|sk)_%w{20,60}
API_KEY ory_ ory_(?:pat|at|rt|st)_%a{32,64}
API_KEY pdl_ pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}
API_KEY bb_ bb_(?:live|test)_%w{20,60}
API_KEY MLY| MLY\|\d{10,20}\|%h{32}
API_KEY pk. pk\.eyJ[A-Za-z0-9]{20,200}\.[A-Za-z0-9_-]{20,40}
API_KEY sk.eyJ sk\.eyJ[A-Za-z0-9]{20,200}\.[A-Za-z0-9_-]{20,40}
API_KEY sdk- sdk-%h{8}(?:-%h{4}){3}-%h{12}
API_KEY pa- pa-%w{43}
API_KEY AVNS_ AVNS_%w{19}
API_KEY ico- ico-%a{32}
API_KEY KEY KEY[0-9A-Z]{32}_%a{22}
API_KEY napi_ napi_[a-z0-9]{60,70}
API_KEY WPL_AP WPL_AP[01]\.[A-Za-z0-9=+/]{14,20}\.[A-Za-z0-9=+/]{6,16}
API_KEY os_v2_ os_v2_(?:app|org)_[a-z0-9]{80,130}
API_KEY AQ. AQ\.%w{45,90}
API_KEY key_ key_%h{64}
API_KEY esecret_ esecret_[a-z0-9]{30,60}
API_KEY ak- ak-(?=[A-Za-z]{0,21}\d)(?=[a-z0-9]{0,21}[A-Z])%a{22}
API_KEY as- as-(?=[A-Za-z]{0,21}\d)(?=[a-z0-9]{0,21}[A-Z])%a{22}
API_KEY wandb_v1_ wandb_v1_%w{40,100}
API_KEY cfut_ cfut_%a{40}%h{8}
API_KEY cfat_ cfat_%a{40}%h{8}
API_KEY cfk_ cfk_%a{40}%h{8}
API_KEY JQQJ %a{52}JQQJ9[9DH]%a{22,30}
COHERE_API_KEY co_ co_%w{36,60}
JWT eyJ eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{8,2000}
JWT eyJ eyJ[A-Za-z0-9_-]{16,4000}\.[A-Za-z0-9_-]{0,2000}\.[A-Za-z0-9_-]{16,2000}\.[A-Za-z0-9_-]{16,16000}\.[A-Za-z0-9_-]{16,100}
"""


Literals: TypeAlias = dict[str, dict[str, tuple[Format, ...]]]
"""Literals with the forms that start with them, by how the literals start."""


class Formats(NamedTuple):
    """The forms: those that start with a literal, and those that hold one inside."""

    closed: Literals
    """By the run of letters and digits that the literal starts with and that ends in it: `sk` of `sk-`."""
    open: Literals
    """By the first two of a literal that has nothing but letters and digits: `AK` of `AKIA`."""
    inside: tuple[Format, ...]

    def starting(self, text: str) -> Iterator[tuple[str, tuple[Format, ...]]]:
        """The literals that words of `text` start with, and the forms of each."""
        words = runs(text)
        for literals in (
            *(self.closed[run] for run in self.closed.keys() & words),
            *(self.open[first] for first in self.open.keys() & {word[:2] for word in words}),
        ):
            for literal, forms in literals.items():
                if literal in text:
                    yield literal, forms


@cache
def formats() -> Formats:
    """Every form, compiled when first asked for."""
    closed: Literals = {}
    open_: Literals = {}
    inside: list[Format] = []
    for line in _ROWS.strip().splitlines():
        type_, literal, pattern = line.split(" ", 2)
        form = Format(type_, literal, re.compile(f"{_expanded(pattern)}(?![A-Za-z0-9])"))
        if len(literal) < 2 or not pattern.replace("\\", "").startswith(literal):
            inside.append(form)
            continue
        literals = open_.setdefault(literal[:2], {}) if literal.isalnum() else closed.setdefault(_run(literal), {})
        literals[literal] = (*literals.get(literal, ()), form)
    return Formats(closed, open_, tuple(inside))


_ALNUM: Final = bytes(code if code < 128 and chr(code).isalnum() else 32 for code in range(256))


def runs(text: str) -> set[str]:
    """The runs of ASCII letters and digits."""
    return set(_run_list(text))


def _run_list(text: str) -> list[str]:
    return text.encode("ascii", "replace").translate(_ALNUM).decode("ascii").split()


def _run(literal: str) -> str:
    """The run of letters and digits that a literal starts with."""
    return _run_list(literal)[0]


def _expanded(pattern: str) -> str:
    return pattern.replace("%a", "[A-Za-z0-9]").replace("%h", "[0-9a-f]").replace("%w", "[A-Za-z0-9_-]")
