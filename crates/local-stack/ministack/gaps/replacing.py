"""How the gaps replace parts of MiniStack: by name, and only if the name is there."""


class MissingPart(Exception):
    """MiniStack has no part of the name that a gap replaces."""


def part(owner, name):
    """The attribute `name` of a MiniStack module or class."""
    try:
        return getattr(owner, name)
    except AttributeError:
        raise MissingPart(f"{owner.__name__} has no {name}") from None


def replace(owner, name, replacement):
    """Puts `replacement` in the place of the attribute `name`, which must exist."""
    part(owner, name)
    setattr(owner, name, replacement)


def resource_handler(provisioners, resource_type):
    """CloudFormation's handler of a resource type: a dict of the functions `create`, `update` and `delete`."""
    handlers = part(provisioners, "_RESOURCE_HANDLERS")
    if resource_type not in handlers:
        raise MissingPart(f"{provisioners.__name__}._RESOURCE_HANDLERS has no {resource_type}")
    return handlers[resource_type]
