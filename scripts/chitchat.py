#!/usr/bin/env python3
"""Converts the PyPI package `chitchat-dataset` (MIT) to Tenure's JSONL.

The package holds 7,168 real conversations between 1,315 people, from April to November 2018. Whose
conversation it is: the first speaker's. What the data do not say (surface, mode, country, answers) is
drawn from a hash of the ids, so that every run draws the same.

    chitchat.py DATASET.json OUT-FOLDER

writes `conversations.jsonl` for `tenure import tenure` and `decisions.jsonl` for `tenure decide --from`.
"""

import hashlib
import json
import sys
from pathlib import Path

COUNTRIES = ["US", "DE", "FR", "JP", "BR", None]


def draw(*parts: str) -> int:
    """A number that depends on the parts and on nothing else."""
    return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:8], "big")


def conversation(identity: str, turns: list) -> dict | None:
    """One conversation, or nothing where nobody said a thing."""
    said = [message for turn in turns for message in turn]
    if not said:
        return None
    account = said[0]["sender"]
    pick = draw("conversation", identity)
    surface = ["free", "free", "pro", "code", "team"][pick % 5]
    moves_at = len(said) // 2 if pick % 11 == 0 and len(said) > 3 else None
    messages = []
    for index, message in enumerate(said):
        moved = moves_at is not None and index >= moves_at
        messages.append(
            {
                "id": f"{identity}-{index}",
                "at": message["timestamp"],
                "role": "human" if message["sender"] == account else "assistant",
                "text": message["text"],
                **({"surface": "team" if surface != "team" else "pro"} if moved else {}),
            }
        )
    return {
        "type": "conversation",
        "id": identity,
        "account": account,
        "surface": surface,
        "mode": "incognito" if pick % 13 == 0 else "normal",
        "country": COUNTRIES[pick // 7 % len(COUNTRIES)],
        "scanned": pick % 17 != 0,
        "messages": messages,
    }


def accounts(conversations: list) -> list:
    """Everybody who began a conversation, in the order of their ids."""
    return [
        {
            "type": "account",
            "id": account,
            "country": COUNTRIES[draw("country", account) % len(COUNTRIES)],
            **({"minor": draw("minor", account) % 40 == 0} if draw("told", account) % 10 else {}),
        }
        for account in sorted({each["account"] for each in conversations})
    ]


def decisions(people: list) -> list:
    """Half of the people decide: most once, some again, each at an instant of 2018, in order of time."""
    made = []
    for person in people:
        pick = draw("decides", person["id"])
        if pick % 2:
            continue
        for step in range(1 + (pick // 2 % 3 == 0) + (pick // 2 % 9 == 0)):
            day = draw("day", person["id"], str(step)) % 240
            month, date = 4 + day // 30, 1 + day % 28
            choice = "on" if (pick // 16 + step) % 3 else "off"
            made.append(
                {
                    "account": person["id"],
                    "purpose": "train",
                    "choice": choice,
                    "at": f"2018-{month:02}-{date:02}T12:{step:02}:00Z",
                }
            )
    return sorted(made, key=lambda each: (each["at"], each["account"]))


def main() -> None:
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    data = json.loads(source.read_text(encoding="utf-8"))
    converted = [conversation(identity, each["messages"]) for identity, each in sorted(data.items())]
    conversations = [each for each in converted if each]
    people = accounts(conversations)
    for name, lines in [
        ("conversations.jsonl", people + conversations),
        ("decisions.jsonl", decisions(people)),
    ]:
        with open(out / name, "w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
