"""Secrets in the syntax of programs, commands and files, and what only looks like one there."""

from __future__ import annotations

from random import Random

import pytest

from edgeagent.shield import Secrets

FIND = Secrets().find

SAID = r"""
echo «k8sAdm1n$» | docker login -u bob --password-stdin
echo 'bob:«Xk29!fjQ»' | sudo chpasswd
net use Z: \\srv\share «qF7#mZ2w» /user:bob
smbclient //srv/share -U bob%«Tr0ub4dor&3»
lftp -u bob,«qF7#mZ2w» ftp.example.com
openssl enc -aes-256-cbc -k «k8sAdm1n$» -in a
openssl rsa -in k.pem -passin pass:«Winter24!»
keytool -storepass «Winter24!» -keystore x.jks
keytool -list -keypass «Tr0ub4dor&3» -alias x
zip -P «k8sAdm1n$» a.zip b
7z x a.7z -p«k8sAdm1n$»
htpasswd -b .htpasswd bob «Xk29!fjQ»
useradd -m -p «Xk29!fjQ» bob
az login --service-principal -u x -p «uT11NCue1cr3McRTrKwt» --tenant y
http -a bob:«p4ssW0rd!x» GET x.example
SSHPASS=«Xk29!fjQ» sshpass -e ssh root@host
gh secret set TOKEN --body "«ANb7qiSXbcmjoaRsuUwpNFgF»"
setx OPENAI_KEY "«lRJm7GmUXiAPyhzAnar3ZLt4bn»"
npm config set //registry.example/:_authToken «A0HNkIn3OIOnHn2INL2io6VOZ»
aws configure set aws_secret_access_key «XjYdOhCgOIPOZx9eRmm0EqlTaW»
requests.get(u, auth=("bob", "«S3cr3t-Pa55»"))
HTTPBasicAuth('bob', '«Winter24!»')
new mysqli("localhost", "root", "«Xk29!fjQ»", "shop");
DriverManager.getConnection(url, "sa", "«Winter24!»");
AES_KEY = bytes.fromhex("«3da4348fd1dc6ffdcf35a60b5bcceeb4»")
<add key="ApiKey" value="«egJCYWF4peZF2dX3J5eY8jZx»" />
localhost:5432:shop:bob:«Xk29!fjQ»
*:*:*:postgres:«p4ssW0rd!x»
jdbc:oracle:thin:scott/«S3cr3t-Pa55»@//db:1521/x
.dockerconfigjson: «eyJhdXRocyI6eyJnaGNyLmlvIjp7ImF1dGgiOiJZbTlpT2xoIn19fQ==»
Cookie: theme=dark; sessionid=«ycZiRGrtFxEbjMmroqRopHa7IzapJF2P»; x=1
WIFI:T:WPA;S:home;P:«Winter24!»;;
SENTRY_DSN=https://«0fde802357419d1a8f25c875fe1adeb6»@o4479.ingest.example.io/5429
the seed phrase is "«legal winner thank year wave sausage worth useful legal winner thank yellow»"
mnemonic: «legal winner thank year wave sausage worth useful legal winner thank yellow»
psk="«S3cr3t-Pa55»"
WLAN-Schlüssel: «61198037797550867542»
Der API-Schlüssel lautet «iDkKKrOXNvg2vZAaFJyf54newrPXQLWQ»
la clé API est «lAvHPnBDcqdRDgJ7MmK8ILFa9n1PyOkE»
user/pass: bob / «Tr0ub4dor&3»
ConvertTo-SecureString "«Winter24!»" -AsPlainText -Force
<property name="hibernate.connection.password">«qF7#mZ2w»</property>
#define API_KEY "«egJCYWF4peZF2dX3J5eY8jZx»"
#define WIFI_PASS "«Winter24!»"
CREATE USER 'x'@'%' IDENTIFIED BY '«Xk29!fjQ»';
echo '«Xk29!fjQ»' | sudo -S apt update
expect "password:" { send "«Winter24!»\r" }
requirepass «Xk29!fjQ»
enable secret «Winter24!»
snmp-server community «qF7#mZ2w» RO
let apiKey: String = "«egJCYWF4peZF2dX3J5eY8jZx»"
api_key: str = "«egJCYWF4peZF2dX3J5eY8jZx»"
let secret: &str = "«egJCYWF4peZF2dX3J5eY8jZx»";
LDAP_BIND_PW=«Xk29!fjQ»
INSERT INTO users (email, password) VALUES ('ann@x.example', '«Winter24!»');
| User | Password |\n|---|---|\n| bob | «Winter24!» |
user,password,role\nbob,«Winter24!»,admin
name;api_key\nbob;«egJCYWF4peZF2dX3J5eY8jZx»
I changed my password from «Sommer#2023» to Winter#2024
I changed my password from Sommer#2023 to «Winter#2024»
use «Xk29!fjQ» as the password
«Xk29!fjQ» is the admin password
the new password will be «Winter24!»
Password - «Winter24!»
creds are bob:«Winter24!»
login with admin / «Winter24!»
wifi: Guest / «Winter24!»
senha do wifi «Winter24!»
minha palavra-passe é «Winter24!»
mon mdp c'est «Winter24!»
Neues Passwort wäre «Winter24!»
moje hasło brzmi «Winter24!»
пароль от вайфая «Winter24!»
הסיסמא שלי «Winter24!»
ο κωδικός είναι «Winter24!»
비번: «Winter24!»
WiFi密码 «Winter24!»
账号admin密码«Winter24!»
พาสเวิร์ด «Winter24!»
الرقم السري «Winter24!»
password-nya «Winter24!»
token → «lAvHPnBDcqdRDgJ7MmK8ILFa9n1PyOkE»
chave de API: «lAvHPnBDcqdRDgJ7MmK8ILFa9n1PyOkE»
klucz API: «lAvHPnBDcqdRDgJ7MmK8ILFa9n1PyOkE»
API-sleutel: «lAvHPnBDcqdRDgJ7MmK8ILFa9n1PyOkE»
токен: «lAvHPnBDcqdRDgJ7MmK8ILFa9n1PyOkE»
مفتاح API: «lAvHPnBDcqdRDgJ7MmK8ILFa9n1PyOkE»
"""

HARMLESS = r"""
echo "$TOKEN" | docker login -u bob --password-stdin
echo "$USER:$PASS" | chpasswd
net use Z: \\srv\share /persistent:yes
openssl enc -aes-256-cbc -pass env:PW -in a
openssl req -x509 -newkey rsa:4096 -keyout key.pem -out cert.pem -nodes
htpasswd -c .htpasswd bob
useradd -m -s /bin/bash bob
zip -r a.zip src -p
unzip -p a.zip README.md
az login --use-device-code
git config set user.email
npm config set registry https://registry.example/
setx PATH "%PATH%;C:\bin"
auth=("user", "password") or auth=(user, password)
new mysqli("localhost", "root", "", "shop"); new mysqli($host, $user, $pass, $db);
DriverManager.getConnection(url, "sa", "");
digest = bytes.fromhex("3da4348fd1dc6ffdcf35a60b5bcceeb4")
<add key="ApiKey" value="YOUR_API_KEY" /> <property name="tokenizer" value="whitespace" />
12:34:56:789:abc
localhost:5432:shop:bob:*
Cookie: theme=dark; lang=de; session=expired
a seed phrase has twelve words or twenty four words in it and you should keep it safe
https://my-organisation-is-very-long-indeed@dev.example.com/x
ak-47 and as-is, pa-rental, sdk-1.2.3, key_0, AQ.x
password: !vault |
password: !ENV ${PW}
Der API-Schlüssel lautet wie folgt
user/pass: see the wiki
WIFI:T:nopass;S:guest;;
System.out.println("Password: " + password);
child.expect("password:") or child.expect("Password: ", timeout)
AKIAIOSFODNN7EXAMPLE with wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
postgres://winapp:winapp@localhost/db
s3 key: uploads/2024/05/img_16868924.png
authorization_code flow, auth_time: 1780419261, proxy_basic_auth_encoding: str = "latin-1"
auth_endpoint: str = "https://api.example/v3/auth/token"
self.ext_pw_conv_1d = nn.Conv1d(8), cl_pw = r'([0-9a-f]{64})'
check_bytes("password", password)\n    if isinstance(private_key, dsa.DSAPrivateKey):
user,password\nbob,required
| Field | Password |\n|---|---|\n| Type | string |
#define KEY_LENGTH "sixteen" or #define API_KEY "YOUR_API_KEY"
snmp-server community public
the password policy for Web01 is old, the password from the vault to use
what is the password? as the password is wrong
"""


@pytest.mark.parametrize("said", SAID.strip().splitlines())
def test_what_a_syntax_says(said: str) -> None:
    """What stands where a program expects a secret is found, exactly."""
    before, _, rest = said.partition("«")
    value, _, behind = rest.partition("»")
    text = (before + value + behind).replace("\\n", "\n")
    assert value in [text[match.start : match.end] for match in FIND(text)]


@pytest.mark.parametrize("said", HARMLESS.strip().splitlines())
def test_the_same_syntax_without_a_secret(said: str) -> None:
    """Variables, placeholders, other options and other words of the same programs stay."""
    assert FIND(said.replace("\\n", "\n")) == []


def test_a_key_of_putty() -> None:
    """The private lines of a key file, not the public ones."""
    text = f"PuTTY-User-Key-File-3: x\nPublic-Lines: 1\n{'Pub1' * 12}\nPrivate-Lines: 1\n{'Pr1v' * 12}\nPrivate-MAC: 1"
    assert "Pr1v" * 12 in [text[match.start : match.end].strip() for match in FIND(text)]


SMALL = "abcdefghijklmnopqrstuvwxyz0123456789"
HEX = "0123456789abcdef"
FORMS = [
    ("sdk-", HEX, (8, 4, 4, 4, 12)), ("pa-", SMALL, (43,)), ("AVNS_", SMALL, (19,)), ("ico-", SMALL, (32,)),
    ("napi_", SMALL, (64,)), ("os_v2_app_", SMALL, (104,)), ("AQ.", SMALL, (50,)), ("key_", HEX, (64,)),
    ("esecret_", SMALL, (48,)), ("ak-A", SMALL, (21,)), ("as-A", SMALL, (21,)), ("wandb_v1_", SMALL, (60,)),
    ("cfut_", HEX, (48,)), ("cfat_", HEX, (48,)), ("cfk_", HEX, (48,)), ("EAA", SMALL, (160,)), ("IGQV", SMALL, (150,)),
    ("sl.u.", SMALL, (1200,)),
]  # fmt: skip


@pytest.mark.parametrize(("start", "alphabet", "sizes"), FORMS, ids=[form[0] for form in FORMS])
def test_forms_of_vendors(start: str, alphabet: str, sizes: tuple[int, ...]) -> None:
    """A key of a vendor's own form is found where nothing announces it, and not as a part of a longer word."""
    random = Random(3)
    key = start + "-".join("".join(random.choices(alphabet, k=size)) for size in sizes)
    text = f"I pasted {key} there"
    assert [text[match.start : match.end] for match in FIND(text)] == [key]
    assert FIND(f"I pasted x{key} there") == []
