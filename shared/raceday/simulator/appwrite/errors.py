"""The platform's refusals: its types and statuses, as a client sees them, in words of our own."""

from __future__ import annotations

VERSION = "1.9.6"

_KNOWN = {
    "general_argument_invalid": (400, "{0}"),
    "general_bad_request": (400, "{0}"),
    "general_query_invalid": (400, "{0}"),
    "general_cursor_not_found": (400, "no row {0} for {1}"),
    "database_query_order_null": (400, "the cursor's row is empty in {0}, by which the rows are ordered"),
    "general_unknown": (500, "the server failed"),
    "general_rate_limit_exceeded": (429, "too many calls, wait a while"),
    "general_unauthorized_scope": (401, "{0}, in the role {1}, has none of the scopes {2}"),
    "user_unauthorized": (401, "this caller may not do that"),
    "project_key_expired": (401, "the key has ended"),
    "project_not_found": (404, "no such project, see the x-appwrite-project header"),
    "database_not_found": (404, "no database {0}"),
    "database_already_exists": (409, "database {0} is there already"),
    "table_not_found": (404, "no table {0}"),
    "table_already_exists": (409, "table {0} is there already"),
    "column_not_found": (404, "no column {0}"),
    "column_already_exists": (409, "column {0} is there already"),
    "column_limit_exceeded": (400, "{0}"),
    "column_default_unsupported": (400, "a column that is required or a list has no default"),
    "column_value_invalid": (400, "{0}"),
    "column_type_invalid": (400, "{0}"),
    "column_not_available": (400, "column {0} is still being made"),
    "column_unknown": (400, "no column {0} to index"),
    "column_index_invalid": (400, "{0}"),
    "column_index_limit_exceeded": (400, "no room for another index"),
    "column_index_not_found": (404, "no index {0}"),
    "column_index_already_exists": (409, "index {0} is there already"),
    "row_not_found": (404, "no row {0}"),
    "row_already_exists": (409, "row {0} is there already"),
    "row_missing_data": (400, "the row has no values"),
    "row_missing_payload": (400, "neither values nor permissions are given"),
    "row_invalid_structure": (400, "the row does not fit: {0}"),
    "row_update_conflict": (409, "the row was written after the instant given"),
    "transaction_not_found": (404, "no transaction {0}"),
    "transaction_not_ready": (400, "the transaction takes nothing more"),
    "transaction_expired": (410, "the transaction's time is over"),
    "transaction_conflict": (409, "the stored rows do not allow this"),
    "transaction_limit_exceeded": (400, "{0} operations and {1} more are over {2}"),
    "function_not_found": (404, "no such function"),
    "function_already_exists": (409, "the function is there already"),
    "function_synchronous_timeout": (408, "the function is not over yet, nobody waits longer"),
    "deployment_not_found": (404, "no such deployment, or none to run"),
    "build_not_ready": (400, "the deployment is not built"),
    "execution_not_found": (404, "no such execution"),
    "variable_not_found": (404, "no such variable"),
    "variable_already_exists": (409, "the variable is there already"),
    "storage_bucket_not_found": (404, "no such bucket"),
    "storage_bucket_already_exists": (409, "the bucket is there already"),
    "storage_file_not_found": (404, "no such file"),
    "storage_file_already_exists": (409, "the file is there already"),
    "storage_file_empty": (400, "there is no file, or nothing in it"),
    "storage_file_type_unsupported": (400, "no files of this kind here"),
    "storage_invalid_file_size": (400, "the file is too large"),
    "storage_invalid_content_range": (400, "the content-range header does not fit the chunk"),
    "message_not_found": (404, "no such message"),
    "message_already_exists": (409, "the message is there already"),
}
"""Type to status and words. Types and statuses are the recorded ones where there are any; the words are our own."""

_AT_COMMIT = {
    "row_already_exists": "transaction_conflict",
    "row_update_conflict": "transaction_conflict",
    "row_invalid_structure": "document_invalid_structure",
    "row_not_found": "document_not_found",
    "column_limit_exceeded": "attribute_limit_exceeded",
}


class PlatformError(Exception):
    """A refusal: HTTP status, the platform's type and a message for people, on which no client may rely."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(f"{status} {kind}: {message}")
        self.status = status
        self.kind = kind
        self.message = message

    def body(self) -> dict[str, object]:
        """Return the JSON body of the answer."""
        return {"message": self.message, "code": self.status, "type": self.kind, "version": VERSION}

    def at_commit(self) -> PlatformError:
        """Return the refusal as a commit names it.

        Conflicts have one type of their own, and rows are called documents there (recorded exchanges).
        """
        kind = _AT_COMMIT.get(self.kind)
        if kind is None:
            return self
        return refused(kind) if kind in _KNOWN else PlatformError(self.status, kind, self.message)


def refused(kind: str, *words: object) -> PlatformError:
    """Return the refusal of a type, with the words that its message has room for."""
    status, message = _KNOWN[kind]
    return PlatformError(status, kind, message.format(*words))


def invalid_param(name: str, why: str) -> PlatformError:
    """Return the refusal of one parameter."""
    return refused("general_argument_invalid", f"{name}: {why}")


def invalid_query(why: str) -> PlatformError:
    """Return the refusal of a query."""
    return refused("general_query_invalid", f"query: {why}")
