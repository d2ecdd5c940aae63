"""Push messages: accepted once for each id and handed to the platform's worker, which this stand-in has not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.call import answer
from raceday.simulator.appwrite.errors import invalid_param, refused
from raceday.simulator.appwrite.instants import stamp

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from raceday.simulator.appwrite.call import Call

LONGEST_TITLE, LONGEST_BODY = 256, 64_230


@dataclass(frozen=True, slots=True)
class Message:
    """One push message and whom it is for."""

    message_id: str
    topics: list[str]
    users: list[str]
    targets: list[str]
    content: dict[str, object]
    is_draft: bool
    created_at: datetime

    def body(self) -> dict[str, object]:
        """Return the message as the API shows it: never delivered, for there is nobody to deliver it."""
        return {
            "$id": self.message_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.created_at),
            "providerType": "push",
            "topics": self.topics,
            "users": self.users,
            "targets": self.targets,
            "scheduledAt": None,
            "deliveredAt": None,
            "deliveryErrors": [],
            "deliveredTotal": 0,
            "data": self.content,
            "status": "draft" if self.is_draft else "processing",
        }


def create_push(call: Call) -> Response:
    """Answer POST /messaging/messages/push; 409 for an id that was used, so that a message goes out once."""
    message_id = params.checked_id(params.required(call.body, "messageId"), "messageId")
    if message_id == params.GENERATED:
        message_id = call.project.new_id()
    message = Message(
        message_id=message_id,
        topics=params.texts(call.body, "topics"),
        users=params.texts(call.body, "users"),
        targets=params.texts(call.body, "targets"),
        content=_content(call),
        is_draft=params.flag(call.body, "draft", default=False),
        created_at=call.at,
    )
    if not message.is_draft and not (message.topics or message.users or message.targets):
        raise refused("general_argument_invalid", "a message needs a topic, a user or a target")
    if message_id in call.project.messages:
        raise refused("message_already_exists")
    call.project.messages[message_id] = message
    return answer(message.body(), 201)


def get_message(call: Call) -> Response:
    """Answer GET /messaging/messages/{messageId}."""
    message = call.project.messages.get(call.path["messageId"])
    if message is None:
        raise refused("message_not_found")
    return answer(message.body())


def _content(call: Call) -> dict[str, object]:
    content: dict[str, object] = {
        "title": params.text(call.body, "title", longest=LONGEST_TITLE),
        "body": params.text(call.body, "body", longest=LONGEST_BODY),
    }
    data = call.body.get("data")
    if data is not None and not isinstance(data, dict):
        raise invalid_param("data", "must be an object")
    for name in ("data", "action", "image", "icon", "sound", "color", "tag", "badge", "priority"):
        if call.body.get(name) is not None:
            content[name] = call.body[name]
    return content
