"""How the units of a token's launch and emissions are shared out.

Source: smt_operations.hpp and smt_operations.cpp of master.
"""

from typing import Annotated, NamedTuple

from protocol.errors import Invalid
from protocol.rules import Rules
from protocol.types import U16, FutureExtensions, SortedMap, StaticVariant, UnitTarget
from protocol.unit_targets import is_emission_target, is_steem_target, is_token_target, is_unit_target


class SmtGenerationUnit(NamedTuple):
    """The targets of one unit of contributed STEEM and of the tokens for it. Source: smt_operations.hpp."""

    steem_unit: Annotated[SortedMap[UnitTarget, U16], "Parts of the STEEM by target."]
    token_unit: Annotated[SortedMap[UnitTarget, U16], "Parts of the tokens by target."]

    def validate(self, rules: Rules) -> None:
        """Checks number, form and size of the parts."""
        for name, unit in (("steem_unit", self.steem_unit), ("token_unit", self.token_unit)):
            if not len(unit) <= rules.smt_max_unit_routes:
                raise Invalid(f"{name}.size() <= SMT_MAX_UNIT_ROUTES")
            for target, parts in unit:
                if not is_unit_target(target):
                    raise Invalid("is_valid_unit_target( e.first )")
                if not parts > 0:
                    raise Invalid("e.second > 0")


class SmtCappedGenerationPolicy(NamedTuple):
    """The only generation policy. Source: smt_operations.hpp and smt_operations.cpp of master."""

    generation_unit: Annotated[SmtGenerationUnit, "What a contributed unit becomes."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        """Checks the unit, and that its targets may receive their shares."""
        unit = self.generation_unit
        unit.validate(rules)
        if not unit.steem_unit:
            raise Invalid("generation_unit.steem_unit.size() > 0")
        if not len(unit.steem_unit) <= rules.smt_max_unit_count:
            raise Invalid("generation_unit.steem_unit.size() <= SMT_MAX_UNIT_COUNT")
        if not len(unit.token_unit) <= rules.smt_max_unit_count:
            raise Invalid("generation_unit.token_unit.size() <= SMT_MAX_UNIT_COUNT")
        for target, _parts in unit.steem_unit:
            if not is_steem_target(target):
                raise Invalid(
                    "is_valid_smt_ico_steem_destination( unit.first )",
                    "${unit_target} is not a valid STEEM unit target.",
                    unit_target=target,
                )
        for target, _parts in unit.token_unit:
            if not is_token_target(target):
                raise Invalid(
                    "is_valid_smt_ico_token_destination( unit.first )",
                    "${unit_target} is not a valid token unit target.",
                    unit_target=target,
                )


SmtGenerationPolicy = StaticVariant[SmtCappedGenerationPolicy]


class SmtEmissionsUnit(NamedTuple):
    """How an emission is shared out. Source: smt_operations.hpp and smt_operations.cpp of master."""

    token_unit: Annotated[SortedMap[UnitTarget, U16], "Parts by target."]

    def validate(self, rules: Rules) -> None:
        """Checks that there are parts, their targets and sizes."""
        if not self.token_unit:
            raise Invalid("token_unit.empty() == false", "Emissions token unit cannot be empty")
        for target, parts in self.token_unit:
            if not is_emission_target(target):
                raise Invalid(
                    "smt::unit_target::is_valid_emissions_destination( e.first )",
                    "Emissions token unit destination ${n} is invalid",
                    n=target,
                )
            if not parts > 0:
                raise Invalid("e.second > 0", "Emissions token unit must be greater than 0")
