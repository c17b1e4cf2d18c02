"""Languages as providers want them."""

import re

import langcodes
from langcodes.tag_parser import LanguageTagError

TWO_LETTERS = re.compile("[a-z]{2}")


def iso_639_1(text: str) -> str | None:
    """The two-letter code of "nl", "nl_NL", "nl-BE", "nld" or "nl_NL.UTF-8"; None where there is none."""
    tag = re.split("[.@]", text.strip())[0]
    try:
        candidates = (
            langcodes.Language.get(tag).language,
            langcodes.Language.get(tag, normalize=False).language,
            langcodes.Language.get(langcodes.standardize_tag(tag, macro=True)).language,
        )
    except LanguageTagError:
        return None
    codes = (code for code in candidates if code and TWO_LETTERS.fullmatch(code))
    return next((code for code in codes if langcodes.tag_is_valid(code)), None)
