"""Request classes: values that are checked when they are made."""

from __future__ import annotations

import inspect
import pickle
import typing
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import given

from ideogram_async import (
    ColorPalette,
    ColorPaletteMember,
    GenerateV3,
    ImageResponse,
    RemixV3,
    Upload,
)
from ideogram_async.requests import REQUESTS, Endpoint, Request, field_docs
from ideogram_async.requests._base import (
    ExactlyOne,
    Exclusive,
    Fields,
    Relation,
    fields,
    post,
)
from ideogram_async.requests._docs import with_inherited_attributes

from . import strategies


PNG = Upload.from_bytes(b"\x89PNG\r\n\x1a\n1", "cat.png")
GIF = Upload.from_bytes(b"GIF89a", "cat.gif")
LARGE = attrs.evolve(PNG, size=10 * 1024 * 1024 + 1)
LARGEST = attrs.evolve(PNG, size=10 * 1024 * 1024)
CLASSES = [pytest.param(cls, id=name) for name, cls in REQUESTS.items()]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"seed": 0},
        {"seed": 2_147_483_647},
        {"num_images": 8},
        {"resolution": "1312x736"},
        {"aspect_ratio": "16x9"},
        {"rendering_speed": "FLASH"},
        {"magic_prompt": "OFF"},
        {"style_type": "FICTION", "style_preset": "BAUHAUS"},
        {"style_codes": ("0a1B2c3D", "ffffffff"), "style_preset": "WEIRD"},
        {"color_palette": ColorPalette(name="PASTEL")},
        {"custom_model_uri": "model/my-model/version/2"},
        {"style_reference_images": (PNG, PNG)},
        {"style_reference_images": (LARGEST,)},
        {"character_reference_images": (PNG,)},
        {
            "character_reference_images": (PNG,),
            "character_reference_images_mask": (PNG,),
        },
        {"enable_copyright_detection": False},
    ],
)
def test_generate_v3_takes_what_the_service_takes(changes: dict[str, Any]) -> None:
    """Every field is accepted up to its limits, and read back as given."""
    request = GenerateV3("a cat", **changes)

    assert {name: getattr(request, name) for name in changes} == changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": "  "}, "prompt must not be blank"),
        ({"prompt": None}, "prompt must be of type str, got None"),
        ({"seed": -1}, "seed must be in [0, 2147483647], got -1"),
        ({"seed": 2**31}, "seed must be in [0, 2147483647], got 2147483648"),
        ({"num_images": 0}, "num_images must be in [1, 8], got 0"),
        ({"num_images": 9}, "num_images must be in [1, 8], got 9"),
        ({"num_images": True}, "num_images must be of type int, got True"),
        (
            {"aspect_ratio": "17x9"},
            (
                "aspect_ratio must be one of 1x3, 3x1, 1x2, 2x1, 9x16, 16x9, 10x16,"
                " 16x10, 2x3, 3x2, 3x4, 4x3, 4x5, 5x4, 1x1; got '17x9'"
            ),
        ),
        (
            {"resolution": "1312x737"},
            (
                "resolution must be one of 69 values, such as 1312x736, 1152x832,"
                " 1152x704; got '1312x737'"
            ),
        ),
        (
            {"style_codes": ("zz",)},
            "style_codes[0] must look like '0a1B2c3D', got 'zz'",
        ),
        (
            {"style_codes": "0a1B2c3D"},
            "style_codes must be a tuple or list, got '0a1B2c3D'",
        ),
        (
            {"custom_model_uri": "mine"},
            "custom_model_uri must look like 'model/my-model/version/1', got 'mine'",
        ),
        (
            {"style_reference_images": (GIF,)},
            (
                "style_reference_images[0] must be image/png, image/jpeg, image/webp,"
                " got image/gif: cat.gif"
            ),
        ),
        (
            {"style_reference_images": (LARGE,)},
            "style_reference_images[0] must be at most 10485760 bytes, got 10485761",
        ),
        (
            {"style_reference_images": (LARGEST, PNG)},
            "style_reference_images must be at most 10485760 bytes, got 10485769",
        ),
        (
            {"character_reference_images": (PNG, PNG)},
            "character_reference_images must have 1 member, got 2",
        ),
        (
            {"character_reference_images_mask": (PNG,)},
            (
                "character_reference_images_mask must have 0 members, as"
                " character_reference_images, got 1"
            ),
        ),
        (
            {"resolution": "1024x1024", "aspect_ratio": "1x1"},
            "resolution and aspect_ratio exclude each other: give one of them",
        ),
        (
            {"style_codes": ("0a1B2c3D",), "style_type": "AUTO"},
            "style_codes and style_type exclude each other: give one of them",
        ),
        (
            {"style_codes": ("0a1B2c3D",), "style_reference_images": (PNG,)},
            (
                "style_codes and style_reference_images exclude each other: give one of"
                " them"
            ),
        ),
    ],
)
def test_bad_fields_are_refused(changes: dict[str, Any], message: str) -> None:
    """A bad field is an error that names field, limit and value, before any I/O."""
    with pytest.raises(ValueError, match=r"must|exclude") as caught:
        GenerateV3(**{"prompt": "a cat", **changes})

    assert str(caught.value) == message


def test_remix_needs_an_image() -> None:
    """A remix without an image can't be made."""
    with pytest.raises(TypeError, match="image"):
        RemixV3("a cat")  # type: ignore[call-arg]


@pytest.mark.parametrize("weight", [0, 101])
def test_remix_weighs_the_image_in_percent(weight: int) -> None:
    """The weight of the image is 1 to 100."""
    assert RemixV3("a cat", image=PNG, image_weight=100).image_weight == 100
    with pytest.raises(ValueError, match=rf"image_weight must .* got {weight}"):
        RemixV3("a cat", image=PNG, image_weight=weight)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "a ColorPalette takes either name or members"),
        (
            {"name": "PASTEL", "members": (ColorPaletteMember(color_hex="#fff"),)},
            "a ColorPalette takes either name or members",
        ),
        ({"members": ()}, "members must have 1 to 8 members, got 0"),
        ({"name": "PINK"}, "name must be one of EMBER, FRESH, .*; got 'PINK'"),
        ({"members": ("#fff",)}, r"members\[0\] must be of type ColorPaletteMember"),
    ],
)
def test_color_palette_is_a_name_or_members(
    changes: dict[str, Any], message: str
) -> None:
    """A palette is a preset or one to eight colors, and not both."""
    with pytest.raises(ValueError, match=message):
        ColorPalette(**changes)


@pytest.mark.parametrize(
    ("color_hex", "weight"),
    [("b470b3", 0.5), ("#b470", 0.5), ("#b470b3", 0.04), ("#b470b3", 1.1)],
)
def test_bad_colors_are_refused(color_hex: str, weight: float) -> None:
    """A color has three or six digits, and a weight from 0.05 to 1."""
    assert ColorPaletteMember(color_hex="#Fff", color_weight=1).color_weight == 1
    with pytest.raises(ValueError, match="must"):
        ColorPaletteMember(color_hex=color_hex, color_weight=weight)


def test_lists_become_tuples() -> None:
    """A list is taken for a tuple, so that the request is a value."""
    request = GenerateV3("a cat", style_codes=["0a1B2c3D"])  # type: ignore[arg-type]

    assert request.style_codes == ("0a1B2c3D",)
    assert hash(request) == hash(GenerateV3("a cat", style_codes=("0a1B2c3D",)))


def test_requests_are_frozen() -> None:
    """A request can't change after it was checked."""
    request = GenerateV3("a cat")

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        request.seed = 7  # type: ignore[misc]


def test_evolve_checks_again() -> None:
    """A changed copy is checked like a new request."""
    request = GenerateV3("a cat", seed=1)

    assert attrs.evolve(request, seed=2) == GenerateV3("a cat", seed=2)
    with pytest.raises(ValueError, match="num_images"):
        attrs.evolve(request, num_images=9)


def test_repr_shows_what_is_set() -> None:
    """The repr is the call that makes the request, without unset fields."""
    request = RemixV3("a cat", image=PNG, seed=7)

    assert repr(request) == (
        "RemixV3(seed=7, prompt='a cat', image=Upload(filename='cat.png',"
        " media_type='image/png', size=9))"
    )


@pytest.mark.parametrize(("num_images", "places"), [(None, 1), (1, 1), (8, 8)])
def test_a_request_takes_a_place_per_image(num_images: int | None, places: int) -> None:
    """The service counts images in progress, not requests."""
    assert GenerateV3("a cat", num_images=num_images).places == places


def test_asking_takes_no_place() -> None:
    """A GET makes no image, so it takes no place."""

    @fields
    class Ask(Request[ImageResponse]):
        endpoint = Endpoint("GET", "/things", places=0)

    assert Ask().places == 0


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_is_whole(cls: type[Request[Any]]) -> None:
    """Every registered class knows its endpoint and its answer, and is documented."""
    assert cls.endpoint.method in {"GET", "POST"}
    assert cls.endpoint.path.startswith("/")
    assert attrs.has(cls.returns)
    assert inspect.cleandoc(cls.__doc__ or "").partition("\n")[0].endswith(".")
    assert "Source: https://" in (cls.__doc__ or "")
    documented = field_docs(cls)
    names = [each.name for each in attrs.fields(typing.cast("Any", cls))]
    assert all(documented[name] for name in names)
    assert all(f"\n    {name}: " in (cls.__doc__ or "") for name in names)


@given(strategies.requests())
def test_any_request_is_a_value(request: Request[Any]) -> None:
    """Any request is hashable, and equals its copy, its pickle and its evolution."""
    copy = type(request)(**attrs.asdict(request, recurse=False))

    assert {request, copy, pickle.loads(pickle.dumps(request))} == {request}
    assert attrs.evolve(request) == request
    assert 0 <= request.places <= 8


@given(strategies.requests())
def test_any_repr_names_the_class_and_the_fields(request: Request[Any]) -> None:
    """The repr of any request names exactly the fields that are set."""
    given_fields = attrs.asdict(request, recurse=False).items()
    shown = [f"{n}={v!r}" for n, v in given_fields if v is not None]

    assert repr(request) == f"{type(request).__name__}({', '.join(shown)})"


def test_registry_is_read_only() -> None:
    """Users can look request classes up, and not change them."""
    assert REQUESTS["GenerateV3"] is GenerateV3
    with pytest.raises(TypeError):
        REQUESTS["Other"] = GenerateV3  # type: ignore[index]


def test_answer_is_read_off_the_base() -> None:
    """A request class has the answer that its base names."""
    assert GenerateV3.returns is ImageResponse
    with pytest.raises(
        TypeError, match=r"Loose must derive from Request\[its answer\]"
    ):

        @post("/loose")
        class Loose:
            """Belongs to nothing."""

    assert "Loose" not in REQUESTS


def test_groups_hand_their_relations_on() -> None:
    """Relations of all groups hold in the class that has them."""

    @fields
    class Either:
        relations: ClassVar[tuple[Relation, ...]] = (Exclusive("one", "two"),)
        one: str | None = None
        two: str | None = None

    assert Either.relations[0].complaint({"one": "a", "two": None}) is None
    assert Exclusive("resolution", "aspect_ratio") in RemixV3.relations


def test_own_validator_of_a_field_is_kept() -> None:
    """A field that brings its validator is not checked by its type."""

    @fields
    class Checked:
        number: int = attrs.field(validator=attrs.validators.instance_of(str))

    assert Checked(number="five").number == "five"  # type: ignore[arg-type]


def test_a_request_holds_what_is_given() -> None:
    """A field that is not given takes no room, and is None all the same."""
    request = GenerateV3("a cat", seed=7)

    assert vars(request) == {"prompt": "a cat", "seed": 7}
    assert request.num_images is None
    assert (
        attrs.evolve(request)
        == request
        == GenerateV3("a cat", seed=7, style_codes=None)
    )


@pytest.mark.parametrize(
    ("args", "given", "wrong"),
    [
        ((), {}, "missing 1 required positional argument: 'prompt'"),
        (("a", "b"), {}, "takes 2 positional arguments but 3 were given"),
        (("a",), {"prompt": "b"}, "got multiple values for argument 'prompt'"),
        (("a",), {"sed": 1}, "got an unexpected keyword argument 'sed'"),
        (("a",), {"sed": None}, "got an unexpected keyword argument 'sed'"),
    ],
)
def test_wrong_arguments(args: Any, given: Any, wrong: str) -> None:
    """Arguments that don't fit are refused in the words of Python."""
    with pytest.raises(TypeError, match=wrong):
        GenerateV3(*args, **given)


def test_own_init_is_kept() -> None:
    """A class that says itself how it is made is made so."""

    @fields
    class Doubled(Fields):
        number: int | None = None

        def __init__(self, number: int) -> None:
            vars(self)["number"] = 2 * number

    assert Doubled(2) == Doubled(2)
    assert Doubled(2).number == 4


def test_a_default_of_its_own_is_kept() -> None:
    """A field that is not None if it isn't given has its own value then."""

    @fields
    class Sized(Fields):
        number: int = 3
        other: int | None = None

    assert vars(Sized()) == {"number": 3, "other": None}
    with pytest.raises(ValueError, match="number must be of type int"):
        Sized(number="3")  # type: ignore[arg-type]


def test_relations_of_a_value_hold() -> None:
    """What must hold between the fields of a value is checked when it is made."""

    @fields
    class Either(Fields):
        relations: ClassVar[tuple[Relation, ...]] = (ExactlyOne("one", "two"),)
        one: str | None = None
        two: str | None = None

    assert Either(one="a").two is None
    with pytest.raises(ValueError, match="give exactly one of one and two"):
        Either()


def test_field_docs_of_groups_are_found() -> None:
    """The description of a field is found in the group that declares it."""
    docs = field_docs(RemixV3)

    assert docs["prompt"] == "What to draw."
    assert docs["negative_prompt"] == "What to leave out; the prompt wins over it."
    assert docs["image_weight"].startswith("How much of the image to keep, in percent,")


def test_class_docs_list_the_fields_of_groups() -> None:
    """`help` shows every field with its description, own ones first, and the rest."""
    doc = GenerateV3.__doc__ or ""

    assert doc.index("    prompt: What to draw.") < doc.index("    seed: [0, ")
    assert doc.index("    seed: [0, ") < doc.index("Raises:")
    assert doc.count("Attributes:") == 1


@pytest.mark.parametrize(
    ("doc", "shown"), [(None, ""), ("Only a line.", "Only a line.")]
)
def test_docs_without_fields_stay(doc: str | None, shown: str) -> None:
    """A docstring that lists no fields is left as it is."""
    bare = type("Bare", (), {"__doc__": doc})

    assert with_inherited_attributes(bare) == shown
    assert field_docs(bare) == {}
