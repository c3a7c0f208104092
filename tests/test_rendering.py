from app.rendering import attributes, html


def test_an_attribute_that_is_false_or_nothing_is_not_written() -> None:
    assert attributes({"disabled": False, "title": None}) == ""


def test_an_attribute_that_is_true_has_no_value_and_zero_is_one() -> None:
    assert attributes({"disabled": True, "tabindex": 0}) == ' disabled tabindex="0"'


def test_an_attribute_cannot_break_out_of_its_quotes() -> None:
    assert attributes({"title": '"><script>'}) == ' title="&#34;&gt;&lt;script&gt;"'


def test_a_button_is_disabled_only_where_that_is_meant() -> None:
    macro = '{% import "components/forms.html" as form with context %}'
    page = html().from_string(macro + '{{ form.button("Save", disabled=disabled) }}')

    assert "disabled" in page.render(disabled=True)
    assert "disabled" not in page.render(disabled=False)
