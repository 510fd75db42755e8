"""Where programs look for Redis: the host and port of each connection that they asked for.

An address is a dict with "host", "port", "db" and "path", as a process reports it
("redis_connection"). Every connection leads to the check's Redis, whatever its address.
"""

from ipaddress import ip_address

from jobs_kit.grading.expectations import expect

PLACES = (("first.example", "7001"), ("second.example", "7002"))  # hosts and ports, as text
UNSET = {"REDIS_HOST": None, "REDIS_PORT": None, "REDIS_URL": None, "REDIS_IP": None}


def environment(**variables):
    """Return the Redis variables that a program sees: these, and no others."""
    return UNSET | variables


def in_environment(variables, call_text):
    """Return a call as text, with its variables in front as in a terminal."""
    words = [f"{name}={value}" for name, value in variables.items() if value is not None]
    return " ".join([*words, call_text])


def is_loopback(host):
    """Tell whether a server that listens at this host is reached from its own computer only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def describe(address):
    """Return an address as text."""
    if address.get("path"):
        return f"the socket {address['path']}"
    host = "None (which means localhost)" if address["host"] is None else address["host"]
    return f"host {host}, port {address['port']}"


def expect_address(process, host, port, call, hint):
    """Expect that a program has looked for Redis at this host and port, and nowhere else."""
    addresses = {f"{one['host']}:{one['port']}" for one in process.events("redis_connection")}
    expect(
        addresses <= {f"{host}:{port}"},
        f"each connection goes to {host}:{port}",
        call=call,
        got=f"connections went to {' and '.join(sorted(addresses))}",
        hint=hint,
    )


def expect_variable_followed(addresses, name, value, who, call):
    """Expect that all of these addresses have the host or the port of a variable.

    name: REDIS_HOST or REDIS_PORT. who: what asked for the addresses, in words. call: text.
    """
    part = name.removeprefix("REDIS_").lower()
    other = next((one for one in addresses if str(one[part]) != value or one.get("path")), None)
    got = other and f"{who} connects to {describe(other)}"
    hint = other and _hint_for_variable(name, other[part], who)
    expect(not other, f"{who} connects to {part} {value}", call=call, got=got, hint=hint)


def _hint_for_variable(name, value, who):
    """Return a question that leads from a wrong host or port to its cause."""
    if name in str(value):
        return (
            f"{name} is the name of a variable, and your code uses it as the value. Which "
            "call reads a variable? It takes the name first, then a default."
        )
    if value is None:
        return f"Which variable does your code read? The one that is set is {name}."
    part = name.removeprefix("REDIS_").lower()
    return f"Which line sets the {part} of {who}? Follow the value back to its source."


def expect_environment_followed(process, variables):
    """Expect that a program has asked the Redis that its environment names, and no other."""
    host, port = variables["REDIS_HOST"], variables["REDIS_PORT"]
    addresses = process.events("redis_connection")
    other = next((a for a in addresses if (a["host"], str(a["port"])) != (host, port)), None)
    file = process.call_text.removeprefix("python ")
    expect(
        not other,
        f"host {host}, port {port}",
        call=in_environment(variables, process.call_text),
        got=other and f"it also connects to {describe(other)}",
        hint=f"Does {file} make its own queue or Redis connection? Which one of jobs.py "
        "could it use?",
    )
