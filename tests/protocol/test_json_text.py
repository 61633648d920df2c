"""The fast path of the JSON check against the parser it stands in for."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from protocol.errors import ProtocolError
from protocol.json_text import _is_lenient_json, _is_ordinary_json, is_valid_json

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
SCRAPS = st.text(alphabet='{}[]",:\\ \t\n\r\x04\x00-.0123456789eEntfalsrux\u00e9', max_size=40)


@given(SCRAPS | st.builds(json.dumps, VALUES) | st.builds(lambda value: json.dumps(value, ensure_ascii=False), VALUES))
@example('{"a":"\\ud800"}')
@example('[-0,"\x7f"]')
@example("[" * 95 + "]" * 95)
@example("[" * 120 + "]" * 120)
def test_the_fast_path_accepts_only_what_the_parser_accepts(text: str) -> None:
    try:
        accepted = _is_lenient_json(text)
    except ProtocolError:
        accepted = False
    if _is_ordinary_json(text):
        assert accepted
    if accepted:
        assert is_valid_json(text)
