"""Create, lock out and remove the users of a class on its server."""

import hashlib
import secrets

from jobs_kit.classroom.keys import owned_keys
from jobs_kit.classroom.record import Student
from jobs_kit.classroom.rules import rules, set_user
from jobs_kit.classroom.user_names import user_name
from jobs_kit.grading.batch.roster_columns import mailbox_form

PASSWORD_BYTES = 12


def enrol(client, classroom, people):
    """Add those Persons to a Classroom's record who are not in it; return their Students.

    A person who is there keeps user and password. client: a redis.Redis that may manage users.
    """
    known, new, taken = list(classroom.students), [], None
    for person in people:
        match = next((one for one in known if _is_same(one, person)), None)
        if match:
            match.login, match.id = match.login or person.login, match.id or person.id
            if not _is_unique(person):
                known.remove(match)  # the next one of this name is another person
            continue
        taken = taken or _taken_names(client, classroom)
        user = user_name([person.login, person.name], taken)
        taken.add(user)
        new.append(Student(*person, user, secrets.token_hex(PASSWORD_BYTES)))
        known += new[-1:] if _is_unique(person) else []
    classroom.students += new
    classroom.save()
    return new


def create(client, student):
    """Create a Student's user on the server, or give it its rules and password again."""
    password = hashlib.sha256(student.password.encode()).hexdigest()  # logs show no password
    state = "off" if student.is_out else "on"
    set_user(client, student.user, "reset", state, f"#{password}", *rules(student.user))


def lock_out(client, classroom, student):
    """Lock a Student out, and close all connections of that user; return how many there were."""
    student.is_out = True
    classroom.save()  # so that it holds for the next start of the server, too
    create(client, student)
    return client.client_kill_filter(user=student.user)


def let_in(client, classroom, student):
    """Let a Student in again, with the same password and messages."""
    student.is_out = False
    classroom.save()
    create(client, student)


def remove(client, classroom):
    """Remove all users of a class, which closes their connections; return how many there were."""
    users = [student.user for student in classroom.students]
    return client.acl_deluser(*users) if users else 0


def _is_same(student, person):
    """Tell whether a Person is a Student: by id, else by login, else by name."""
    if student.id and person.id:
        return student.id == person.id
    if student.login and person.login:
        logins = (student.login, person.login)
        if all("@" in one for one in logins):
            return logins[0] == logins[1]
        return len({mailbox_form(one) for one in logins}) == 1
    return student.name == person.name


def _is_unique(person):
    return bool(person.login or person.id)


def _taken_names(client, classroom):
    """Return the names that a new user can't have: of users, and of the beginnings of keys."""
    own = {student.user for student in classroom.students}
    owners = {user for _, keys in owned_keys(classroom) for user, _ in keys}
    return own | set(client.acl_users()) | owners
