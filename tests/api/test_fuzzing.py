"""A minute of requests generated from the OpenAPI document; `python -m tests.api.fuzzing` does more."""

from pathlib import Path

import pytest

from tests.api.fuzzing import by_token, try_out, world


# A minute of processor time; beside two busy test runs it took more than three.
@pytest.mark.timeout(600)
async def test_every_generated_request_gets_a_documented_response(tmp_path: Path) -> None:
    async with world(tmp_path, copies=2) as one:
        outcome = await try_out(one, by_token(one), examples=2, phases="examples,fuzzing")

        assert outcome.cases > 200
        assert outcome.code == 0, outcome.text
        assert "Traceback" not in one.site.log
