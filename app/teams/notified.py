"""A sentence for confirmation pages: how many other people an act will notify."""

from app.language import _, ngettext


def notified_sentence(count: int) -> str:
    """`count` without the user who acts."""
    if not count:
        return _("Nobody else will be notified.")
    sentence = ngettext(
        "{n} other person will be notified.", "{n} other people will be notified.", count
    )
    return sentence.format(n=count)
