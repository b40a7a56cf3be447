"""What trips detectors: look-alikes that must stay, and values in places and scripts where they are missed."""

from __future__ import annotations

import json

import pytest

from edgeagent.shield import Secrets, Standard

FIND = Standard().find


def found(text: str) -> list[str]:
    """What was found, as text."""
    return [text[match.start : match.end] for match in FIND(text)]


LEFT_ALONE = [
    "opencvc 737, cvc 2024-01-01, CVC 2023 report, cvv 7371234, CVC 123.45",
    "%B4111111111111112^DOE/JOHN^2712101?",
    "build 4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T",
    "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi",
    "Convert 1697571494 and 1684681002909 to ISO timestamps",
    "created: 1697119261",
    "Order #404792059 shipped",
    "order 768-7568496-6408586",
    "ISBN 978-3-16-148410-0",
    "the ISBN is 3-6730-8123-3",
    "tracking no is JD722479656045395183",
    "tracking RR408723089DE",
    "UPS 1Z999AA10123456784",
    "tracking 9400110200881234567890",
    "EAN 4006381333931",
    "gtin 8793087784520",
    "git clone git@github.com:acme/api.git",
    "git remote add origin git@gitlab.example.com:team/repo.git",
    "Message-ID: <7e3e09801130b06dda15e9f3@mailer.invalid>",
    "In-Reply-To: <CAF1.x9@mail.example.com>",
    "customer_id = 99010170476",
    "SELECT id FROM orders WHERE id IN (51091605754, 84866759143)",
    "Windows 10.0.19045.8808 and Chrome 126.0.6478.787",
    "version 10.0.13603.2399",
    "call GPT 5.6 (2026-10-09; later ones differ)",
    "Copyright 2015-2021 Nir Cohen",
    "write to Boston, MA  02111-1301  USA",
    '{"token-efficient-tools-2025-02-19": "token-efficient-tools-2025-02-19"}',
    '{"result_key": "S3AccessPointAttachments"}',
    '{"ListCredentialsRequest": ".listcredentials"}',
    "the value 44051401358 of the third row",
    "the Taj Mahal drew 131540035 visitors, AFM scan 094259216, rg 12345678, invoice RG 12345678",
    "TAJ szám: 131 54, order adóazonosító 10 for 12345",
    "замовлення 1759013776",
    "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.0",
    "uuid 123e4567-e89b-12d3-a456-426614174000",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "The card 4158-0375-9635-6357 fails the Luhn check",
    "GB16 NPTZ 9640 1280 0567 85 fails mod 97",
    "lat 52.520008, lon 13.404954",
    "price 1,234,567.89 EUR",
    "Meeting 149 6109 1065 is at 00:10, room 4.12",
    "doi:10.1000/25440.964, arXiv:2401.65294",
    "std::vector<int> v; foo::bar::baz(0xdeadbeef, 71540)",
    "12:34:56 on 2024-05-06",
    "https://docs.python.org/3/library/re.html",
    "@user mentioned you, a@b",
    "odd, even = a[1::2], a[0::2]; b = s[4::-2] + s[::2]; sieve[i // 3::2 * k] = 0",
    "foo==1.0.0.1, bar>=10.2.3.4 and baz~=1.2.3.4",
    "RFC 5890 §2.3.2.1, Section 4.1.2.3 and table 1.2.3.4",
    '{"Key": "access_logs.s3.bucket"}',
    '{"S3Key": "my-app/22a0-stage-150819_185942.war"}',
    "def send(auth: httpx2.Auth, creds: google.oauth2.credentials.Credentials)",
    "password = cfg.db2.password",
    "errSSLServerAuthCompleted = -9841, sec_auth_failed = -25293",
    'def convert(credentials):\n    """Converts what came before into what comes now."""',
    "join(pwd, './data/pcg64-testset-1.csv')",
    "if key_node.tag == 'tag:yaml.org,2002:str':",
    ".. _User Information: https://datatracker.example.org/doc/html/rfc3986#section-3.2.1",
    "key_signing = hash(key_service, 'aws4_request'); key: 'key_b64_encoded'",
    "sin(pi*149896229/7) and sin(125128080), cos 125128080",
    "snowflake 576033618403180168, seed 59846294526092468",
    "if self._name2plugin[name] == None registered",
    "icon@2x.png, logo@3x.webp",
    '{"domain": "@example.com", "x": "y"}',
    'name + "@example.com" or f"{name}@example.com" or \'@example.com\'',
    "**@example.com** and *@example.com, on@\nthe next line",
    "sum(at)x.y, f[at] = t.x, place (at) 10.30",
    "password = os.environ['DB_PASSWORD']",
    "const password = getPassword();",
    "password: {{ vault.db_password }}",
    "postgresql://user:${DB_PASSWORD}@localhost:5432/app",
    "postgres://user:password@localhost/db",
    "password_hash: $2b$12$3O5bzB6btfvwXEBatzFUIbUKxM9QoU7EeQL8WiKcxQCxT6PnSm8Hj",
    'client = OpenAI(api_key="YOUR_API_KEY")',
    "OPENAI_API_KEY=sk-...",
    'curl -H "Authorization: Bearer $API_KEY" https://api.example.com',
    "Authorization: Bearer <token>",
    "The password must contain at least 8 characters, one digit.",
    "Passwort vergessen?",
    "le mot de passe est incorrect",
    "cache key user:255815:profile:v8",
    "token_count = 1234567890, max_tokens: 4096",
    "the key to success is consistency",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEX\n-----END PUBLIC KEY-----",
    "A PEM file starts with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----.",
    'ETag: "b97ba92b439f771743f5fe306a05167b"',
    "secretSize must be >= XXH3_SECRET_SIZE_MIN",
    "INC6581317 - VPN down",
    "'APPEND': ('AUTH', 'SELECTED'),",
    "def login(self, user='', passwd='', acct=''):",
    "CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'",
    "| `AUTH_TOKEN` | `SERVICE_BASE_URL` |",
    "user = os.environ.get(name)",
    "if c == chr(8):\n    pw = pw[:-1]",
]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_look_alikes_stay(text: str) -> None:
    """Numbers, codes and words that merely look like personal data or secrets are left alone."""
    assert found(text) == []


FOUND = [
    ("exp 12/27 cvv 123", "123"),
    ('{"cvc":"737"}', "737"),
    ("My CVV2 is 7371.", "7371"),
    ("CVV2 737", "737"),
    ("Die Kartenprüfnummer lautet 737", "737"),
    ("cryptogramme visuel : 737", "737"),
    ("código de segurança: 737", "737"),
    ("セキュリティコードは737です", "737"),
    ("安全码：737", "737"),
    ("kod bezpieczeństwa: 737", "737"),
    ("%B4111111111111111^DOE/JOHN^2712101?", "4111111111111111"),
    ("my SIN is 046454286", "046454286"),
    ("sin: 046454286", "046454286"),
    ("SIN 046 454 286", "046 454 286"),
    ("card number 576033618403180168", "576033618403180168"),
    ("curl http://[::1]:8080/", "::1"),
    ("host == 10.1.2.3 or ip='10.1.2.3'", "10.1.2.3"),
    ("信用卡4190-1234-5678-9017被盗刷", "4190-1234-5678-9017"),
    ("我的手机是13812345678", "13812345678"),
    ("私の電話番号は090-1234-5678です", "090-1234-5678"),
    ("내 번호는 010-1234-5678입니다", "010-1234-5678"),
    ("担当:eva_silva@blue-mail.io", "eva_silva@blue-mail.io"),
    ("我的身份证号是11010519491231002X。", "11010519491231002X"),
    ("wallet 0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886E0F7030069857D2E4169EE7"),
    ("pay 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2 today", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("pay rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh now", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
    (
        "XLM: GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ",
        "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ",
    ),
    (
        "addr1vx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzers66hrl8",
        "addr1vx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzers66hrl8",
    ),
    ("to 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5", "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"),
    ("my Solana wallet: 4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T", "4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T"),
    ("NIE: X-1234567-L", "X-1234567-L"),
    ("con DNI 12345678-Z", "12345678-Z"),
    ("เลขประจำตัวประชาชน 5-2304-89085-70-8", "5-2304-89085-70-8"),
    ("Meine Steuer-ID ist 86 095 742 719", "86 095 742 719"),
    ("/go?to=%2Fx%3Fm%3Danna.b%2540web.de", "anna.b%2540web.de"),
    ("GET /account?email=anna.b@web.de&x=1", "anna.b@web.de"),
    ("mail: max@müller.de", "max@müller.de"),
    ("Write to **ann@corp.example.org**, please", "ann@corp.example.org"),
    ("_ann@corp.example.org_ or ~bob~", "ann@corp.example.org"),
    ("- to:-ann@corp.example.org", "ann@corp.example.org"),
    ("?next=%2Fu%2Fann%2Btag%40corp.example.org", "ann%2Btag%40corp.example.org"),
    ("Cc: ann.o'neill@corp.example.org", "ann.o'neill@corp.example.org"),
    ("d = {b'ann@corp.example.org': 1}", "ann@corp.example.org"),
    ("E-Mail:jörg.weiß@gmx.example,", "jörg.weiß@gmx.example"),
    ("josé@corp.example", "josé@corp.example"),
    ("иван.петров@почта.рф", "иван.петров@почта.рф"),
    ("νίκος@corp.example", "νίκος@corp.example"),
    ("用户@例子.广告", "用户@例子.广告"),
    ("联系ann@corp.example.org谢谢", "ann@corp.example.org"),
    ('From: "john doe"@corp.example.org', '"john doe"@corp.example.org'),
    ('{"to": "\\"john.doe\\"@corp.example.org"}', '\\"john.doe\\"@corp.example.org'),
    ("Reply to john.doe@exam-\nple.org today", "john.doe@exam-\nple.org"),
    ("Reply to john.doe@mail.exam-\r\nple.org today", "john.doe@mail.exam-\r\nple.org"),
    ("Reply to john.doe@\nexample.org today", "john.doe@\nexample.org"),
    ("API_KEY=aHVudGVyMmh1bnRlcg==\nDB_HOST=x", "aHVudGVyMmh1bnRlcg=="),
    ("  password: cGFzc3dvcmQxMjM=\n  user: x", "cGFzc3dvcmQxMjM="),
    ("DB_PASSWORD=cGFzc3dvcmQxMjM=\nREGION=eu", "cGFzc3dvcmQxMjM="),
    ("To: jose.garcia@exam=\r\nple.org", "jose.garcia@exam=\r\nple.org"),
    ("mail ann.lee [at] example [dot] org", "ann.lee [at] example [dot] org"),
    ("mail ann.lee(at)corp.example.org.", "ann.lee(at)corp.example.org"),
    ("class Phone:\n    # e.g. 0121 298 4034", "0121 298 4034"),
    ("Rufen Sie mich unter 0176-23456789 an", "0176-23456789"),
    ("appelez-moi au 06 12 34 56 78", "06 12 34 56 78"),
    ("call (415) 555-2671 now", "(415) 555-2671"),
    ("телефон 8 (301) 129-15-73", "8 (301) 129-15-73"),
    ("it's 273711088 (Dutch BSN)", "273711088"),
    ("My National Insurance number is AT 03 72 07 A.", "AT 03 72 07 A"),
    ("香港身份證：A123456(3)", "A123456(3)"),
    ("AHV 756.9217.0769.85", "756.9217.0769.85"),
    ("born 3 March 1975 in Leeds", "3 March 1975"),
    ("fecha de nacimiento 5 de mayo de 1990", "5 de mayo de 1990"),
    ("出生日期：1990-01-02", "1990-01-02"),
    ("server 10.1.2.3:8080", "10.1.2.3"),
    ("Connection refused: db.internal/10.1.2.3:5432", "10.1.2.3"),
    ("Ο ΑΦΜ μου είναι 094259216", "094259216"),
    ("ΑΜΚΑ: 01013099997", "01013099997"),
    ("TAJ szám: 131 540 035", "131 540 035"),
    ("Az adóazonosító jelem 8071592153.", "8071592153"),
    ("Мій РНОКПП 1759013776", "1759013776"),
    ("ІПН: 1759013776", "1759013776"),
    ("Meu RG é 12.345.678-9", "12.345.678-9"),
    ("my card is 676147453788", "676147453788"),
    ("My PESEL is 44051401358", "44051401358"),
    ("NI number: ZZ 06 12 31 T", "ZZ 06 12 31 T"),
    ("आधार 123213224199", "123213224199"),
    ("Host ::ffff:95.144.64.206, MAC dd:3e:be:a4:39:59", "::ffff:95.144.64.206"),
    ("card 4111 1111\n1111 1111 expires", "4111 1111\n1111 1111"),
    ("IBAN DE89 3704 0044\n0532 0130 00", "DE89 3704 0044\n0532 0130 00"),
    ("4111\u200b1111\u200b1111\u200b1111", "4111\u200b1111\u200b1111\u200b1111"),
    ("john&#64;example.com", "john&#64;example.com"),
    ('{"to": "john\\u0040example.com"}', "john\\u0040example.com"),
    ('"{\\"email\\": \\"a.b@example.com\\"}"', "a.b@example.com"),
    ("電話 ０３－１２３４－５６７８", "０３－１２３４－５６７８"),
    ("Das WLAN-Passwort lautet Sommer2024!", "Sommer2024!"),
    ("le mot de passe du serveur est Azerty#99", "Azerty#99"),
    ("パスワードは Hunter2xq です", "Hunter2xq"),
    ("hasło do VPN to Kot3k!pies", "Kot3k!pies"),
    ("密码是Abc12345!", "Abc12345!"),
    ("mysql -u root -p'S3cr3t!' db", "S3cr3t!"),
    ("curl -u admin:Zx81kkQ https://x.example", "Zx81kkQ"),
    ("Server=db;User Id=sa;Password=Xk29!fj;Encrypt=true", "Xk29!fj"),
    ("mongodb+srv://svc:k0lqp2@cluster0.example.net", "k0lqp2"),
    ("redis://:Sommer94426x@cache.example.org:6379/0", "Sommer94426x"),
    ("Authorization: Basic YWRtaW46aHVudGVyMg==", "YWRtaW46aHVudGVyMg=="),
    ('client = Client(x_token="a8Fk29dLq0Zm47Xc")', "a8Fk29dLq0Zm47Xc"),
    ("Client(token='a8Fk29dLq0Zm47Xc', timeout=10)", "a8Fk29dLq0Zm47Xc"),
    ("login: admin / UQVwnxx3dMhQC0qxS", "UQVwnxx3dMhQC0qxS"),
    ("password:crickets", "crickets"),
    ("key gsk_0plExkSr0T2jqjq7rxefDUgg5ZVIJhUz61sg,", "gsk_0plExkSr0T2jqjq7rxefDUgg5ZVIJhUz61sg"),
    ("use pplx-qbL5RnzpFaN3zqbq0i32hKtYMsLnuelsqE here", "pplx-qbL5RnzpFaN3zqbq0i32hKtYMsLnuelsqE"),
    ("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", "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"),
    ("nummernschild HH AB 1234", "HH AB 1234"),
    ("My website is https://blog.example.io/u/7001", "https://blog.example.io/u/7001"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("ΑΦΜ: 094259216", "GR_AFM"),
        ("AMKA 01013099997", "GR_AMKA"),
        ("TAJ szám: 131 540 035", "HU_TAJ"),
        ("adóazonosító jel: 8071592153", "HU_TAX_ID"),
        ("рнокпп 1759013776", "UA_RNOKPP"),
        ("o meu RG: 33.444.555-X", "BR_RG"),
    ],
)
def test_what_a_name_says(text: str, type_: str) -> None:
    """A number whose name stands beside it is of that type."""
    assert [match.type for match in Standard().find(text)] == [type_]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_values_are_found_whole(text: str, value: str) -> None:
    """Values glued to text without spaces, broken, escaped, or told in a sentence are found whole."""
    assert value in found(text)


SECRET = """apiVersion: v1
data:
  connection: cG9zdGdyZXM6Ly91OnBAaC9k
  user: cm9vdA==
  empty: {{ .Values.user }}
  sample: <base64>
kind: Secret
metadata:
  name: database-of-orders
  labels:
    app.kubernetes.io/name: orders
stringData:
  dsn: "user=root pass=no"
  region: eu-west-1
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_values_of_kubernetes_secrets(kind: str, end: str) -> None:
    """Whatever they are named, in YAML and as `kubectl get -o json` prints them; not those of other kinds."""
    yaml = SECRET.replace("Secret", kind).replace("\n", end)
    data = {"connection": "cG9zdGdyZXM6Ly91OnBAaC9k", "user": "cm9vdA=="}
    written = json.dumps({"kind": kind, "data": data, "metadata": {"name": "database-of-orders"}}, indent=2)
    wanted = {"cG9zdGdyZXM6Ly91OnBAaC9k", "cm9vdA=="} if kind == "Secret" else set()
    plain = {"user=root pass=no", "eu-west-1"} if kind == "Secret" else set()
    assert set(found(yaml)) == wanted | plain
    assert set(found(written.replace("\n", end))) == wanted


LAYOUTS = [
    ("csv", "name,national_id,mobile\nAnn,44051401359,12 344 87 61\n"),
    ("semicolons", "name;national_id;mobile\nAnn;44051401359;12 344 87 61\n"),
    ("tsv", "name\tnational_id\tmobile\nAnn\t44051401359\t12 344 87 61\n"),
    ("markdown", "| name | national_id | mobile |\n|---|---|---|\n| Ann | 44051401359 | 12 344 87 61 |\n"),
    ("json", '{"name": "Ann", "nationalId": "44051401359", "mobile": "12 344 87 61"}'),
    ("yaml", "name: Ann\nnational_id: '44051401359'\nmobile: 12 344 87 61\n"),
    ("xml", "<r><national_id>44051401359</national_id><mobile>12 344 87 61</mobile></r>"),
    ("sql", "INSERT INTO people (name, national_id, mobile) VALUES\n ('Ann', '44051401359', '12 344 87 61');"),
    ("html", "<tr><th>PESEL</th><th>mobile</th></tr><tr><td>44051401359</td><td>12 344 87 61</td></tr>"),
    ("logfmt", 'level=info national_id=44051401359 mobile="12 344 87 61"'),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "text"), LAYOUTS)
def test_names_of_fields_and_columns_are_evidence(layout: str, text: str) -> None:
    """Plain digits are found by the name of their field or of their column, in every usual layout of records."""
    assert found(text) == ["44051401359", "12 344 87 61"]


def test_a_column_of_orders_is_left_alone() -> None:
    """What a column's name denies is no match, whatever its check digit says."""
    assert found("order_id,total\n4111111111111111,12.50\n44051401359,8.10\n") == []


def test_the_secrets_alone_leave_personal_data() -> None:
    """`Secrets` finds no e-mail address, and `Standard` finds both."""
    text = "ann@example.com uses token ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    assert [match.type for match in Secrets().find(text)] == ["GITHUB_TOKEN"]
    assert [match.type for match in FIND(text)] == ["EMAIL_ADDRESS", "GITHUB_TOKEN"]
