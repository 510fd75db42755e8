"""Make user names for Redis from logins, addresses and names of people."""

import re
import unicodedata

from jobs_kit.classroom.rules import USER_NAME

LONGEST = 28  # characters, so that a number fits behind it
RESERVED = {"default", "kit"}
# "LATIN SMALL LETTER L WITH STROKE" is an l; NFKD takes apart only letters with accents
LATIN = re.compile(r"LATIN SMALL (?:LETTER|LIGATURE) (?:DOTLESS )?([A-Z]{1,2})\b.*")
ICELANDIC = str.maketrans({"þ": "th", "ð": "d"})


def user_name(texts, taken):
    """Return a user name that is not taken, made from the first of the texts that has letters.

    texts: a student's login or address, and the name. A name in another script, such as 李雷, gives
    student, student-2 and so on.
    """
    names = [ascii_name(text.partition("@")[0]) for text in texts]
    base = next((name for name in names if USER_NAME.fullmatch(name)), "student")
    name, number = base, 1
    while name in taken or name in RESERVED:
        number += 1
        name = f"{base}-{number}"
    return name


def ascii_name(text):
    """Return a name in lower-case ASCII with hyphens: lukasz-zizek for Łukasz Žižek."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(ICELANDIC))
    plain = "".join(map(_ascii, decomposed))
    return "-".join(re.findall(r"[a-z0-9_]+", plain))[:LONGEST].strip("-_")


def _ascii(character):
    if character.isascii():
        return character
    if unicodedata.combining(character) or character in "'’ʼ":
        return ""
    match = LATIN.fullmatch(unicodedata.name(character, ""))
    return match[1].lower() if match else "-"
