"""Texts as they take little room in Redis: deflated, with the words of a job known beforehand."""

import zlib
from binascii import a2b_base64, b2a_base64

PACKED = "z:"
# A shorter one takes no less room: up to so many bytes Redis keeps a value in the compact form of a record.
SHORT = 64
# Of the format: what was packed with these words is read with these alone. The likeliest come last.
WORDS = (
    b'"plugin_version":""platform_version":""client":""idempotency_key":""invite":false"filtercode":""unit":"seconds"}'
    b'"minutes""hours""weekdays"},"reminder":{"amount":1,"unit":"days"},"delay":{"amount":5,"unit":"days"},.png.jpg'
    b'"image_url":"https://www.shop.nl/,"sku":"","gtin":"87"}],"order_total":".95",{"id":"1","name":"","url":"https://'
    b'"products":[{"id":","phone_numbers":["+316"]},"last_name":"","first_name":"","language":"nl","customer":{"full_name"'
    b':"van de @outlook.com@hotmail.com@gmail.com","order":"{"account":"shop_nl","email":"'
)


def pack(text: str) -> str:
    """The text in ASCII; a short one as it is, unless it looks packed."""
    if len(text) <= SHORT and not text.startswith(PACKED):
        return text
    # Small tables: to make them ready would take longer than the work itself.
    deflate = zlib.compressobj(3, zlib.DEFLATED, -12, 1, zlib.Z_DEFAULT_STRATEGY, WORDS)
    return PACKED + b2a_base64(deflate.compress(text.encode()) + deflate.flush(), newline=False).decode()


def unpack(text: str) -> str:
    """What was packed; any other text as it is."""
    if not text.startswith(PACKED):
        return text
    inflate = zlib.decompressobj(-12, WORDS)
    try:
        unpacked = inflate.decompress(a2b_base64(text[len(PACKED) :])).decode()
    except (ValueError, zlib.error):
        return text
    return unpacked if inflate.eof else text
