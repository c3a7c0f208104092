"""Which modules are mutated, and which tests each is held to."""

DELIVERY = "tests/notifications/delivery"
INBOX = "tests/notifications/inbox"
PREFERENCES = "tests/notifications/preferences"
INVITING = [
    "tests/teams/test_invitations.py",
    "tests/teams/test_mail_to_strangers.py",
    "tests/teams/test_after_removal.py",
]

MODULES = {
    "app/notifications/delivery/retention.py": [f"{DELIVERY}/test_retention.py"],
    "app/notifications/delivery/decision.py": [f"{DELIVERY}/test_decision.py"],
    "app/notifications/delivery/claims.py": [f"{DELIVERY}/test_claims.py"],
    "app/notifications/delivery/outbox.py": [f"{DELIVERY}/test_outbox.py"],
    "app/notifications/delivery/bundles.py": [f"{DELIVERY}/test_bundles.py"],
    "app/notifications/delivery/settling.py": [f"{DELIVERY}/test_settling.py"],
    "app/notifications/delivery/batch.py": [f"{DELIVERY}/test_batch.py"],
    "app/notifications/events/notices.py": ["tests/notifications/events/test_notices.py"],
    "app/notifications/inbox/acts.py": [f"{INBOX}/test_acts.py", f"{INBOX}/test_feed.py"],
    "app/notifications/inbox/feed.py": [f"{INBOX}/test_feed.py", f"{INBOX}/test_hidden.py"],
    "app/notifications/withdraw.py": ["tests/notifications/test_withdraw.py"],
    "app/notifications/preferences/muting.py": [f"{PREFERENCES}/test_muting.py"],
    "app/notifications/preferences/digest.py": [f"{PREFERENCES}/test_digest_times.py"],
    "app/teams/invitations.py": INVITING,
    "app/teams/open_invitations.py": INVITING,
    "app/teams/invitation_links.py": INVITING,
    "app/teams/invitation_mail.py": INVITING,
    "app/projects/clips.py": ["tests/projects/test_clips.py"],
    "app/projects/compilations.py": ["tests/projects/test_compilations.py"],
    "app/projects/sharing.py": ["tests/projects/test_sharing.py"],
}

# Lines that are not mutated, as regular expressions.
NOT_MUTATED = [
    r"\b_log\.",  # what is logged is for people, and no test quotes it
    r"synchronize_session",  # spares SQLAlchemy work on objects that the session does not hold
]
