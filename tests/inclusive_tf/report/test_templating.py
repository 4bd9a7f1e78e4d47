"""What a page is filled with is escaped, whatever filter it passes."""

import pytest

from inclusive_tf.report import templating


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a/b_c-d.jpg", "a/<wbr>b_<wbr>c-<wbr>d.jpg"),
        ("</script>", "&lt;/<wbr>script&gt;"),
        ("\"&amp;'", "&#34;&amp;amp;&#39;"),
        ("plain", "plain"),
    ],
)
def test_a_name_may_break_between_its_parts_and_nowhere_becomes_markup(name, written):
    template = templating.environment().from_string("{{ name|breakable }}")
    assert template.render(name=name) == written
