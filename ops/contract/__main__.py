"""Writes the published contract from the code: `python -m ops.contract`."""

from ops.contract import published

if __name__ == "__main__":
    for file, text in published().items():
        file.write_text(text, "utf-8")
