"""A minute of requests made up from the document; `python -m tests.api.fuzzing` takes longer."""

from pathlib import Path

from tests.api.fuzzing import by_token, try_out, world


async def test_whatever_is_sent_the_answer_is_one_the_document_tells_of(tmp_path: Path) -> None:
    async with world(tmp_path, copies=2) as one:
        outcome = await try_out(one, by_token(one), examples=2, phases="examples,fuzzing")

        assert outcome.cases > 200
        assert outcome.code == 0, outcome.text
        assert "Traceback" not in one.site.log
