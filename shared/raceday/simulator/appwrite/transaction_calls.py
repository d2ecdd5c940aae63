"""The calls about transactions: open, list, look at, commit or roll back. Staging lives in `staging`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.call import answer
from raceday.simulator.appwrite.commit import commit
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.resource_lists import listed
from raceday.simulator.appwrite.staging import transaction_of
from raceday.simulator.appwrite.transactions import LONGEST_S, SHORTEST_S, USUAL_S, Transaction

_REMEMBERED = timedelta(minutes=1)
"""How long an ended transaction can still be asked for; a worker deletes it after that."""

if TYPE_CHECKING:
    from starlette.responses import Response

    from raceday.simulator.appwrite.call import Call


def open_transaction(call: Call) -> Response:
    """Answer POST /tablesdb/transactions: for 60 to 3600 seconds, 300 if nothing is said."""
    ttl_s = params.whole(call.body, "ttl", USUAL_S, SHORTEST_S, LONGEST_S)
    _forget_ended(call)
    transaction = Transaction(
        transaction_id=call.project.new_id(),
        created_at=call.at,
        expires_at=call.at + timedelta(seconds=ttl_s),
        updated_at=call.at,
    )
    call.project.transactions[transaction.transaction_id] = transaction
    return answer(transaction.body(), 201)


def list_transactions(call: Call) -> Response:
    """Answer GET /tablesdb/transactions."""
    shown = [transaction.body() for transaction in call.project.transactions.values()]
    return answer(listed("transactions", shown, call.query.get("queries")))


def get_transaction(call: Call) -> Response:
    """Answer GET /tablesdb/transactions/{transactionId}."""
    return answer(transaction_of(call, call.path["transactionId"]).body())


def end_transaction(call: Call) -> Response:
    """Answer PATCH /tablesdb/transactions/{transactionId}: commit or roll back."""
    wants_commit = params.flag(call.body, "commit", default=False)
    wants_rollback = params.flag(call.body, "rollback", default=False)
    if not wants_commit and not wants_rollback:
        raise refused("general_bad_request", "neither commit nor rollback is asked for")
    if wants_commit and wants_rollback:
        raise refused("general_bad_request", "commit and rollback are both asked for")
    transaction = transaction_of(call, call.path["transactionId"])
    if transaction.status != "pending":
        raise refused("transaction_not_ready")
    transaction.check_in_time(call.at)
    if wants_commit:
        call.tell(*commit(transaction, call.project.new_id, call.at))
    else:
        transaction.end("failed", call.at)
    return answer(transaction.body())


def _forget_ended(call: Call) -> None:
    """Drop what ended a while ago: a race day opens thousands."""
    known = call.project.transactions
    ended = [one.transaction_id for one in known.values() if call.at - one.updated_at > _REMEMBERED]
    for transaction_id in ended:
        if known[transaction_id].status != "pending" or call.at > known[transaction_id].expires_at + _REMEMBERED:
            del known[transaction_id]
