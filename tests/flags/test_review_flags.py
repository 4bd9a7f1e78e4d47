"""Flags of the review page say whose decisions they are."""

import getpass

import pytest
from absl import flags as absl_flags

from data_pipelines import errors
from flags import review_flags
from inclusive_tf.review import exports

FLAGS = absl_flags.FLAGS


@pytest.fixture
def parse():
    """Returns a function that parses arguments with these flags, for one test only."""
    before = set(FLAGS)
    review_flags.define()

    def parse(*arguments):
        FLAGS(["tests", *arguments])

    yield parse
    FLAGS.unparse_flags()
    for name in set(FLAGS) - before:
        delattr(FLAGS, name)


def test_decisions_are_those_of_who_is_named_or_of_the_user(parse, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    parse()
    assert review_flags.who() == "ada"
    parse("--who= bob ")
    assert review_flags.who() == "bob"


@pytest.mark.parametrize("kind", [KeyError, OSError])
def test_a_user_without_a_name_is_asked_for_one(parse, monkeypatch, kind):
    """What Python raises where the number of the user is in no list depends on it."""

    def getuser():
        raise kind("uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", getuser)
    parse()
    with pytest.raises(errors.SettingError, match="Expected: --who=NAME"):
        review_flags.who()
    parse("--who=bob")
    assert review_flags.who() == "bob"


def test_images_of_label_studio_are_where_its_own_files_are(parse):
    parse()
    assert FLAGS.label_studio_prefix == exports.LOCAL_FILES
