# ruff: noqa: RUF001
"""Phrases of attacks in languages other than English. See `signs`.

As `fold` leaves them: lower case, without accents of Latin, Greek and Cyrillic letters.
"""

from __future__ import annotations

from typing import Final

from edgeagent.shield.injection.phrases import Phrase
from edgeagent.shield.injection.structures import Structure

__all__ = ["FOREIGN", "UNSPACED"]

FOREIGN: Final[tuple[Phrase, ...]] = (
    Phrase(
        "override_foreign",
        "ignora ignorez ignore ignorad ignorar ignorer ignori ignorate ignoriere ignoriert ignorieren "
        "ignorera olvida olvide olvidad olvidate dimentica dimenticate dimentichi esqueca esquece "
        "ignorem desconsidere desconsidera oublie oubliez tiens tenez caso considerare seguire vergiss "
        "vergessen missachte missachten negeer vergeet let niet glom ignorer bortse glem unohda ohita "
        "zignoruj zapomnij pomin игнорируи игнорируите проигнорируи забудь забудьте обращаи обращаите "
        "ігноруи проігноруи звертаи zapomen ignoruj ignorujte zapomente αγνοησε αγνοηστε ξεχασε ξεχνα "
        "felejtsd felejts hagyd abaikan lupakan qua quen lo desconsiderar ignorati uita",
        r"[^.\n]{0,60}?(?:instruc|instruk|instruç|istruzion|consigne|anweisung|richtlin|regel|vorgabe|regl"
        r"|regol|regra|regul|directiv|directric|norma|polecen|zasad|инструкц|інструкц|правил|указан|вказів"
        r"|ohje|saanto|pokyn|οδηγι|utasitas|szabaly|petunjuk|perintah|aturan|huong dan|chi thi|chi dan"
        r"|quy tac|anterior|precedent|dijeron|dicho|detto|dito\b|gesagt|verteld|powiedziano|говорили"
        r"|казали|dikatakan|sagts|sagt\b|sanottu|alles\b|todo\b|tutto\b|tudo\b|allt\b|kaik|все\b|усе\b"
        r"|semua|tat ca|tout ce|moi thu|eddigi|proigoumen|precedent)",
    ),
    Phrase(
        "override_foreign",
        "talimatlari talimatlarini talimati komutlari kurallari yonergeleri onceki yukaridaki soylenen her",
        r"[^.\n]{0,60}?(?:yok say|unut|gormezden|dikkate alma|uyma)",
    ),
    Phrase(
        "leak_foreign",
        "muestra muestre mostra mostre affiche affichez zeige zeig gib verrate verrat nenne pokaz pokazi "
        "покажи покажите назови назовите toon geef visa nayta tampilkan goster ra rivela dime dimmi diga "
        "dis donne donnez podaj выведи скажи revele revela repite repete ripeti repita wiederhole "
        "repeter повтори herhaal upprepa toista powtorz ulangi",
        r"[^.\n]{0,40}?(?:prompt|промпт|istem|nhac he thong|contrasena|password|senha|mot de passe"
        r"|passwort|wachtwoord|haslo|парол|sifre|mat khau|kata sandi|instrucciones|istruzioni|instrucoes"
        r"|consignes|anweisung|salasana|losenord|mot pour mot|palabra por palabra|parola per parola"
        r"|palavra por palavra|дословно|configura|wort fur wort)",
    ),
    Phrase(
        "unrestricted_foreign",
        "sin sans senza sem ohne keine keinerlei zonder utan bez без tanpa co ninguna ningun aucune "
        "nessuna nenhuma uden",
        r"[^.\n]{0,20}?(?:restric|restriz|einschrank|limit|beperking|begransning|ograniczen|ограничен"
        r"|обмежен|batasan|han che|norma|regle|regol|regra|regel|zasad|filt)",
    ),
    Phrase(
        "unrestricted_foreign",
        "uneingeschrankt uneingeschrankter rajoituksia sinirsiz kisitlamasi kisitlama sinirlama",
        r"",
    ),
    Phrase(
        "unrestricted_foreign",
        "desactiva desactivez desactive deaktiviere disattiva desative desativa отключи wylacz nonaktifkan schakel",
        r"[^.\n]{0,24}?filt",
    ),
    Phrase(
        "persona_foreign",
        "ab partir ora vanaf fran tasta od этого цього bundan tu mulai desormais fais finge haz",
        r" (?:jetzt bist|sofort bist|de ahora|de maintenant|de agora|in (?:poi|avanti)|nu ben|och med nu|lahtien|teraz"
        r"|момента|моменту|sonra|gio|sekarang|so, als|tu es|comme si|que no|como si)",
    ),
)
"""European languages, Turkish, Indonesian, Vietnamese."""

UNSPACED: Final[tuple[Structure, ...]] = (
    Structure(
        "override_foreign",
        "忽略 忘记 忘記 無視 无视 忘れ 理会 理會 従わ 遵守 别管 不用管",
        r"(?:忽略|忘记|忘記|无视|無視|不要理会|不要理會|不要遵守|别管|不用管)[^。\n]{0,24}(?:指令|指示"
        r"|规则|規則|要求|提示|内容|設定|设定|命令|一切|所有|之前|上面|以上|先前)|(?:指示|命令|ルール|規則"
        r"|内容|これまで|今まで|以前|上記|前の|上の)[^。\n]{0,24}(?:無視|忘れ|従わ)",
    ),
    Structure(
        "override_foreign",
        "무시 잊 따르지",
        r"(?:지시|명령|규칙|내용|이전|지금까지|위의)[^.\n]{0,24}(?:무시|잊|따르지)",
    ),
    Structure(
        "override_foreign",
        "ลืม เพิกเฉย สนใจ ละเว้น",
        r"(?:ลืม|เพิกเฉย|ไม่ต้องสนใจ|ละเว้น|อย่าสนใจ)[^\n]{0,60}(?:คำสั่ง|คําสั่ง|กฎ|ก่อนหน้า|ข้างต้น|ทั้งหมด|ที่)",
    ),
    Structure(
        "override_foreign",
        "अनदेखा भूल ध्यान",
        r"(?:निर्देश|नियम|पिछल|सब कुछ|ऊपर)[^।\n]{0,50}(?:अनदेखा|भूल|ध्यान न)",
    ),
    Structure(
        "override_foreign",
        "تجاهل انس تتبع اهمل أهمل",
        r"(?:تجاهل|انس|لا تتبع|اهمل|أهمل)[^.\n]{0,40}(?:تعليمات|القواعد|قواعد|السابق|أعلاه|كل ما|الاوامر"
        r"|الأوامر)",
    ),
    Structure(
        "override_foreign",
        "התעלם שכח نادیده فراموش",
        r"(?:התעלם|שכח)[^.\n]{0,40}(?:הוראות|הקודמות|כללים|כל מה)|(?:دستور|قوانین"
        r"|قبلی)[^.\n]{0,40}(?:نادیده|فراموش)",
    ),
    Structure(
        "leak_foreign",
        "プロンプト 提示 프롬프트 प्रॉम्प्ट พรอมต์ 密码 密碼 パスワード 비밀번호 逐字 一字一句 一字一句 "
        "그대로 そのまま हूबहू",
        r"(?:システム|系统|系統|시스템|सिस्टम|النظام|ระบบ) ?(?:プロンプト|提示词?|提示詞?|프롬프트|प्रॉम्प्ट"
        r"|พรอมต์)|(?:告诉|告訴)我.{0,8}密[码碼]|パスワードを教え|(?:逐字|原样)重复|一字一句|그대로 반복"
        r"|そのまま(?:繰り返|出力)",
    ),
    Structure(
        "leak_foreign",
        "systemprompt system-prompt",
        r"system-?prompt(?:en|et)?\b",
    ),
    Structure(
        "unrestricted_foreign",
        "限制 制限 제한 قيود प्रतिबंध ข้อจำกัด",
        r"(?:没有|沒有|无|無|不受)[^。\n]{0,6}限制|制限の?(?:ない|なし|なく)|제한(?:이)? ?없|(?:بلا|بدون"
        r"|دون) (?:أي )?قيود|प्रतिबंध|ข้อจำกัด",
    ),
    Structure(
        "persona_foreign",
        "从现在 從現在 これから 이제부터 지금부터 من~الآن अब~से จากนี้ไป ตั้งแต่",
        r"从现在(?:开始|起)|從現在|これからあなた|이제부터|지금부터|من الآن|अब से|จากนี้ไป|ตั้งแต่บัดนี้"
        r"|ตั้งแต่นี้",
    ),
)
"""Chinese, Japanese, Korean, Thai, Hindi, Arabic, Hebrew, Persian: found by their characters."""
