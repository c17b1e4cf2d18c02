"""Every command of the runbook, in the trouble that its section is about: `make runbook`.

What a person does there by other means (a new secret, a restart) the situation does.
"""

import pytest

from tests.runbook.book import blocks, sections
from tests.runbook.scene import Scene
from tests.runbook.situations import SITUATIONS

SECTIONS = sections()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("section", SECTIONS)
def test_the_commands_of_a_section_do_what_it_says(scene: Scene, section: str) -> None:
    situation = SITUATIONS[section](scene)
    next(situation)
    told = blocks(SECTIONS[section])

    for block in told[:-1]:
        situation.send(scene.run(block))
    with pytest.raises(StopIteration):
        situation.send(scene.run(told[-1]))
