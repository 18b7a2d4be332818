# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that break what does not look: names, texts, separators."""

from __future__ import annotations

FORGED = (
    b"Package: forged\nVersion: 9\nArchitecture: all\nMaintainer: M <m@example.org>\n"
    b"Filename: pool/main/f/forged.deb\nSize: 1\nSHA256: " + b"0" * 64 + b"\nDescription: forged"
)

# Values for what becomes part of a path. @ stands for the absolute path of a folder outside the repository.
NAMES = (
    b"../../../outside/pwned",
    b"..",
    b".",
    b"@/pwned",
    b"/",
    b"a/b",
    b"a/../../b",
    b"a\\b",
    b"..\\..\\pwned",
    b"-rf",
    b"--help",
    b".hidden",
    b"~root",
    b"$(touch @/pwned)",
    b"`touch @/pwned`",
    b"a;touch @/pwned",
    b"a|b",
    b"a b",
    b"a\tb",
    b"%2e%2e%2fpwned",
    b"a%00b",
    b"",
    b" ",
    "nová".encode(),
    "\uff4eova".encode(),
    "a\u202eb".encode(),
    "a\u200bb".encode(),
    "a\u2028b".encode(),
    "a\x85b".encode(),
    b"a\xff\xfeb",
    b"a\0b",
    b"a\x1bb",
    b"a\rb",
    b"UPPER/lower",
    b"a" * 129,
    b"a" * 5000,
    b"a:b",
    b"a_b/..",
    b"a*",
    b"'a'",
    b'"a"',
    b"<a>",
    b"&a;",
    b"a#b?c",
)

# What some reader or other takes for the end of a line or of a paragraph.
SEPARATORS = (
    b"\n\n",
    b"\n \n",
    b"\n\t\n",
    b"\n \t \n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\r\n",
    b"\r\r",
    b"\0",
    b"\n\0\n",
    b"\x0b",
    b"\x0b\x0b",
    b"\x0c",
    b"\n\x0c\n",
    b"\x1c",
    b"\x1d",
    b"\x1e",
    b"\x1f",
    "\x85".encode(),
    "\u2028".encode(),
    "\u2029".encode(),
    "\n\xa0\n".encode(),
    "\n \u3000\n".encode(),
    "\n\u200b\n".encode(),
    "\n\ufeff\n".encode(),
    b"\n.\n",
    b"\n#\n",
    b"\n-----BEGIN PGP SIGNATURE-----\n",
)

BROKEN_TEXT = (
    b"\xff\xfe",
    b"\xc3",
    b"\xc3\x28",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xc0\xaf",  # an overlong slash
    b"\xe0\x80\xaf",
    b"\xed\xa0\x80",  # a surrogate
    b"\xed\xb0\x80",
    b"\xf4\x90\x80\x80",  # past the last character
    b"\xfc\x84\x80\x80\x80\x80",
    b"\x80",
    "é".encode("latin-1"),
    "é".encode("utf-16"),
)

# What an XML document or its reader may stumble over.
XML = (
    b"<",
    b">",
    b"&",
    b'"',
    b"'",
    b"]]>",
    b"&lt;&amp;&#0;&#x1f;",
    b"&undefined;",
    b"<!--",
    b"-->",
    b"<![CDATA[x]]>",
    b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;',
    b"<?xml version='1.0'?>",
    b"</package><package type='rpm'><name>forged</name></package>",
    b'"/><location href="../../forged.rpm"/><x y="',
    b'</name><location href="packages/f/forged.rpm"/><name>',
    b"\xef\xbf\xbe",  # U+FFFE and U+FFFF are no characters of XML
    b"\xef\xbf\xbf",
    b"{%raw%}{{x}}",
    *(bytes([value]) for value in range(1, 32)),
    b"\x7f",
    "\x85\u2028\u2029".encode(),
    "\u202e\u200b\ufeff".encode(),
    "\U0001f4a9\U0010ffff".encode(),
)
