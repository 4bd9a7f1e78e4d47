import re
import subprocess
import sys

import pytest

from inclusive_tf.report import findings, tables


def _figures(text):
    return [float(number) for number in re.findall(r"\d\.\d{3}", text)]


def _expected(results, split, keys=("value", "low", "high")):
    return [
        [
            [findings.interval(row, split, measure)[key] for key in keys]
            for measure in findings.MEASURES
        ]
        for row in results["rows"]
    ]


@pytest.mark.parametrize("split", ["stage_1", "stage_2"])
def test_the_text_table_holds_every_figure_within_100_columns(results, split):
    lines = tables.text_table(results, split).splitlines()
    assert max(map(len, lines)) <= 100
    body = lines[4:]
    assert len(body) == 2 * len(results["rows"])
    for number, expected in enumerate(_expected(results, split)):
        values, intervals = (_figures(body[2 * number + line]) for line in (0, 1))
        assert values == pytest.approx([one[0] for one in expected], abs=5e-4)
        ends = [end for one in expected for end in one[1:]]
        assert intervals == pytest.approx(ends, abs=5e-4)


def test_the_text_table_stays_within_100_columns_whatever_the_names(results):
    results["rows"][2]["name"] = "x" * 300 + "\n\x1b[31m" + "y z " * 90
    text = tables.text_table(results, "stage_2")
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text


def test_the_markdown_table_holds_every_figure_and_escapes_names(results):
    results["rows"][1]["name"] = "plain | <b>*bold*</b>"
    table = tables.markdown_table(results, "stage_2")
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    for line, expected in zip(lines, _expected(results, "stage_2"), strict=True):
        flat = [figure for one in expected for figure in one]
        assert _figures(line) == pytest.approx(flat, abs=5e-4)
        assert line.count("|") == 6
    assert "<b>" not in table


def test_missing_figures_are_not_available_in_every_form(results):
    measures = results["rows"][1]["evaluations"]["stage_2"]["measures"]
    measures["tail_recall"] = {"value": None, "low": None, "high": None, "n": 0}
    del measures["worst_group_f2"]
    assert tables.text_table(results, "stage_2").count("n/a") == 2
    assert tables.markdown_table(results, "stage_2").count("n/a") == 2
    cells = tables.main_table(results).rows[1].cells
    assert [cell.reason for cell in cells[4:]] == ["", "", "no images", "not measured"]


def test_the_step_table_holds_a_verdict_for_each_difference(results):
    table = tables.step_table(results)
    assert table.rows[3].verdicts[4:] == [
        findings.UNCLEAR, findings.UNCLEAR, findings.HURTS, findings.HELPS,
    ]  # fmt: skip
    assert table.rows[3].cells[6].value == "−0.058"


def test_every_table_of_measures_has_the_constant_answer(results):
    assert tables.main_table(results).rows[0].kind == "constant"
    for make in (tables.group_table, tables.band_table, tables.class_table):
        assert "constant answer" in make(results, "stage_2").columns


def test_groups_without_images_have_no_row(results):
    rows = tables.group_table(results, "stage_2").rows
    assert [row.name for row in rows] == ["target/studio", "target/street"]


def test_labels_that_share_a_name_keep_their_own_figures(results):
    for row in results["rows"]:
        for label in row["evaluations"]["stage_2"]["classes"]:
            label["name"] = "same"
    values = [row.cells[2:6] for row in tables.class_table(results, "stage_2").rows]
    assert len({str(value) for value in values}) == 15


def test_of_many_labels_the_commonest_and_rarest_are_shown(results):
    figures = results["rows"][-1]["evaluations"]["stage_2"]
    figures["classes"] = [
        figures["classes"][0] | {"id": str(count), "training_count": count}
        for count in range(1000)
    ]
    table = tables.class_table(results, "stage_2")
    assert len(table.rows) == tables.CLASSES_SHOWN
    assert "600 labels of middling frequency are not shown" in table.caption
    assert (table.rows[0].cells[0], table.rows[-1].cells[0]) == ("999", "0")


def test_page_and_tables_import_without_tensorflow():
    code = (
        "import sys; from inclusive_tf.report import page, tables, tensorboard; "
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
