"""From a request to an answer: limit, fault, provider; in that order, as a provider's middleware has it."""

import random
from dataclasses import dataclass

from ops.simulator.control import Behaviour, Changes, Control
from ops.simulator.faults import Delivery
from ops.simulator.feedbackcompany import FeedbackCompany
from ops.simulator.limits import Allowance, new_window, parse_rate
from ops.simulator.options import SimulatorOptions
from ops.simulator.provider import TOO_MANY, Call, Provider, Verdict
from ops.simulator.retry_after import retry_after_ends, retry_after_text
from ops.simulator.state import Account, CallRecord, Outcome, State
from ops.simulator.webwinkelkeur import WebwinkelKeur
from ops.simulator.wemasy import Wemasy
from ops.simulator.wire import Headers, Reply, Request

_NS_PER_MS = 1_000_000
_DROPPED = frozenset({Delivery.HANG, Delivery.RESET})


@dataclass(frozen=True, slots=True)
class Answer:
    """A decided call: what leaves, how, after how long, and when its Retry-After ends (ns, or None)."""

    reply: Reply
    delivery: Delivery
    latency_ms: int
    account: Account
    record: CallRecord
    retry_after_ends_ns: int | None


@dataclass(frozen=True, slots=True)
class _Decision:
    verdict: Verdict
    delivery: Delivery = Delivery.WHOLE


class Engine:
    """All three providers, without a network: it is given requests, and the time with them."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._options = options
        self._reset()

    def _reset(self) -> None:
        self.state = State(self._options.max_records)
        self._control = Control(self._options)
        self._random = random.Random(self._options.seed)
        providers = (WebwinkelKeur(self._options), Wemasy(self._options), FeedbackCompany(self._options))
        self._routes = {path: (each, methods) for each in providers for path, methods in each.routes.items()}

    def change(self, changes: Changes) -> None:
        """Behave differently from now on."""
        if changes.reset:
            self._reset()
        self._control.apply(changes)

    def answer(self, request: Request) -> Answer | None:
        """Decide one call and count it; None where no provider has such a path.

        A method that the path does not know counts as a rejected call.
        """
        route = self._routes.get(request.path)
        if route is None:
            return None
        provider, methods = route
        kind = methods.get(request.method)
        key = provider.caller(request)
        fields = provider.fields(request) if kind == "create" else {}
        consent = self._control.towards(key).has_consent
        call = Call(kind or "create", request, fields, self.state.account(key), consent)
        if kind is None:
            reply = provider.error(405, "Method Not Allowed")
            return self._counted(provider, call, _Decision(Verdict(Outcome.REJECTED, reply)), ())
        return self._counted(provider, call, *self._decide(provider, call))

    def _counted(self, provider: Provider, call: Call, decision: _Decision, headers: Headers) -> Answer:
        account, at_ns, reply = call.account, call.request.at_ns, decision.verdict.reply
        status = 0 if decision.delivery in _DROPPED else reply.status
        age_ms = None if call.kind == "token" else account.retry_after_age_ms(at_ns)
        reference = provider.reference(call.fields)
        record = CallRecord(at_ns // _NS_PER_MS, account.key, call.kind, reference, status, age_ms)
        self.state.count(account, record, decision.verdict.outcome)
        retry_after = dict(reply.headers).get("Retry-After")
        ends_ns = None if retry_after is None else retry_after_ends(retry_after, at_ns)
        if headers:
            reply = Reply(reply.status, reply.body, headers + reply.headers, reply.content_type)
        latency_ms = self._control.towards(account.key).latency_ms
        return Answer(reply, decision.delivery, latency_ms, account, record, ends_ns)

    def _decide(self, provider: Provider, call: Call) -> tuple[_Decision, Headers]:
        behaviour = self._control.towards(call.account.key)
        if behaviour.limit is None or call.kind == "token":
            return self._within_limit(provider, call, behaviour), ()
        rate = parse_rate(behaviour.limit)
        allowance = self._take(call, behaviour.limit)
        shown = rate.per_minute if self._options.limit_header == "per_minute" else rate.count
        headers = provider.limit_headers(shown, allowance.remaining)
        if allowance.wait_ns is not None:
            return _Decision(self._over_limit(provider, call, allowance.wait_ns)), headers
        return self._within_limit(provider, call, behaviour), headers

    def _take(self, call: Call, limit: str) -> Allowance:
        account, rate = call.account, parse_rate(limit)
        if account.window is None or account.window_rate != rate:
            account.window, account.window_rate = new_window(self._options.window, rate), rate
        return account.window.take(call.request.at_ns)

    def _over_limit(self, provider: Provider, call: Call, wait_ns: int) -> Verdict:
        reply = provider.error(429, TOO_MANY)
        text = retry_after_text(self._options.retry_after, call.request.at_ns, wait_ns)
        headers: Headers = () if text is None else (("Retry-After", text),)
        return Verdict(Outcome.LIMITED, Reply(429, reply.body, headers))

    def _within_limit(self, provider: Provider, call: Call, behaviour: Behaviour) -> _Decision:
        fault = behaviour.fault
        if fault is not None and fault.spend(call.kind):
            verdict = fault.instead(provider, call.request)
            if verdict is None:
                verdict = provider.process(call)
                verdict = Verdict(verdict.outcome, fault.spoil(verdict.reply))
            return _Decision(verdict, fault.delivery)
        if behaviour.fail and self._random.random() < behaviour.fail:
            return _Decision(Verdict(Outcome.FAILED, provider.error(500, provider.broken)))
        return _Decision(provider.process(call))
