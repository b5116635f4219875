"""What people install: the wheel and the sdist, and the step that builds the page into them."""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email.parser import BytesParser
from pathlib import Path
from typing import NamedTuple

import pytest

import gpt_code_ui
from scripts.build_page import BuildError, Page
from scripts.product import Product
from scripts.smoke_wheel import look_at

ROOT = Path(__file__).resolve().parent.parent
STATIC = "gpt_code_ui/web/static"
NOT_COPIED = shutil.ignore_patterns(
    ".*", "node_modules", "build", "dist", "*.egg-info", "__pycache__", "shots", "test-results"
)
NPM = """\
#!/bin/sh
echo "$@" >> npm.log
if [ "$1" = ci ]; then mkdir -p node_modules; exit 0; fi
[ -e broken ] && exit 3
mkdir -p "$6" && cp src/app.ts "$6/app.js" && echo page > "$6/index.html"
"""


# --- building the page, with an npm of ours -----------------------------------------------------


class Tree(NamedTuple):
    """A source tree with a page of one file."""

    root: Path
    page: Page

    @property
    def npm_calls(self) -> list[str]:
        log = self.root / "frontend" / "npm.log"
        return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    source = tmp_path / "frontend" / "src"
    source.mkdir(parents=True)
    (source / "app.ts").write_text("one")
    (source.parent / "package.json").write_text("{}")
    tools = tmp_path / "tools"
    tools.mkdir()
    script(tools / "npm", NPM)
    script(tools / "node", "#!/bin/sh\necho v20.19.0\n")
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    return Tree(tmp_path, Page(tmp_path))


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_a_missing_page_is_built_once(tree: Tree) -> None:
    assert tree.page.state() == "missing"
    assert tree.page.ensure()
    assert tree.page.state() == "fresh"
    assert not tree.page.ensure()
    assert tree.npm_calls == ["ci", "run"]
    assert (tree.root / STATIC / "app.js").read_text() == "one"


def test_a_changed_source_makes_the_page_stale(tree: Tree) -> None:
    tree.page.ensure()
    (tree.root / "frontend/src/app.ts").write_text("two")
    assert tree.page.state() == "stale"
    tree.page.ensure()
    assert (tree.root / STATIC / "app.js").read_text() == "two"
    assert tree.npm_calls == ["ci", "run", "run"]


def test_a_changed_lock_file_installs_again(tree: Tree) -> None:
    tree.page.ensure()
    (tree.root / "frontend/package-lock.json").write_text("{}")
    tree.page.ensure()
    assert tree.npm_calls == ["ci", "run", "ci", "run"]


def test_a_test_of_the_page_does_not_make_it_stale(tree: Tree) -> None:
    tree.page.ensure()
    (tree.root / "frontend/src/app.test.ts").write_text("expect(1)")
    assert tree.page.state() == "fresh"


def test_a_failed_build_leaves_the_old_page(tree: Tree) -> None:
    tree.page.ensure()
    (tree.root / "frontend/src/app.ts").write_text("two")
    (tree.root / "frontend/broken").touch()
    with pytest.raises(BuildError, match=r"^'npm run build' in .* failed with status 3"):
        tree.page.ensure()
    assert (tree.root / STATIC / "app.js").read_text() == "one"
    assert tree.page.state() == "stale"
    assert sorted(p.name for p in (tree.root / "gpt_code_ui/web").iterdir()) == ["static"]


def test_a_built_page_without_its_sources_is_fresh(tree: Tree) -> None:
    tree.page.ensure()
    shutil.rmtree(tree.root / "frontend")
    assert tree.page.state() == "fresh"


def test_an_old_node_is_named(tree: Tree) -> None:
    script(tree.root / "tools" / "node", "#!/bin/sh\necho v18.20.4\n")
    with pytest.raises(BuildError, match=r"Node 20\.19 or newer with npm; this is Node v18\.20\.4"):
        tree.page.ensure()


# --- the real tree ------------------------------------------------------------------------------


class Built(NamedTuple):
    """What a build of the tree left."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with its built page."""
    if Page(ROOT).state() != "fresh":
        pytest.fail("the page is not built: run 'make page'")
    target = tmp_path_factory.mktemp("checkout") / "tree"
    shutil.copytree(ROOT, target, ignore=NOT_COPIED)
    shutil.copy(ROOT / "frontend" / ".npmrc", target / "frontend" / ".npmrc")
    return target


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sdist, and the wheel built from the unpacked sdist, where there is no Node."""
    target = tmp_path_factory.mktemp("dist")
    done = build(checkout, "--outdir", str(target))
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(next(target.glob("*.whl")), next(target.glob("*.tar.gz")))


def build(tree: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """``python -m build`` on a machine without Node."""
    command = [sys.executable, "-m", "build", "--no-isolation", *flags, str(tree)]
    env = {"PATH": "/nonexistent", "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def page_files(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in (root / STATIC).rglob("*") if p.is_file()}


def test_the_wheel_holds_the_package_and_its_page(built: Built) -> None:
    names = {name for name in names_in(built.wheel) if ".dist-info/" not in name}
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "gpt_code_ui").rglob("*.py*")}
    modules = {name for name in modules if name.endswith((".py", ".pyi"))}
    texts = {"gpt_code_ui/py.typed", "gpt_code_ui/system_prompt.md"}
    assert names == modules | texts | page_files(ROOT)
    assert f"{STATIC}/index.html" in names


def test_the_sdist_holds_the_sources_and_the_built_page(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert page_files(ROOT) <= names
    wanted = {"frontend/src/protocol/generated.ts", "frontend/package-lock.json", "frontend/.npmrc"}
    assert wanted | {"scripts/build_page.py", "LICENSE", "tests/conftest.py"} <= names
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name]


def test_the_metadata_says_what_setup_says(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        folder = f"gpt_code_ui-{gpt_code_ui.__version__}.dist-info"
        metadata = BytesParser().parsebytes(archive.read(f"{folder}/METADATA"))
        entries = archive.read(f"{folder}/entry_points.txt").decode()
    assert (metadata["Name"], metadata["Version"]) == ("gpt-code-ui", gpt_code_ui.__version__)
    assert metadata["Requires-Python"] == ">=3.11"
    assert "gptcode = gpt_code_ui.cli:main" in entries
    declared = {one for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one}
    names = {one.split(";")[0].rstrip("<>=.,0123456789") for one in declared}
    assert names == {name_of(one) for one in runtime_requirements()}


def name_of(requirement: str) -> str:
    return requirement.rstrip("<>=.,0123456789")


def runtime_requirements() -> list[str]:
    for node in ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "RUNTIME":
            listed: list[str] = ast.literal_eval(node.value)
            return listed
    raise AssertionError("setup.py has no RUNTIME")


def test_the_metadata_passes_twine(built: Built) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_without_node_a_missing_page_ends_the_build_with_one_line(
    checkout: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(checkout, bare)
    shutil.rmtree(bare / STATIC)
    done = build(bare, "--wheel", "--outdir", str(tmp_path))
    assert done.returncode != 0
    lines = (done.stdout + done.stderr).splitlines()
    assert [line for line in lines if line.startswith("error: Building the page needs Node 20.19")]
    assert "Traceback" not in done.stdout + done.stderr


def test_the_wheel_starts_and_shows_its_page(built: Built, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps"]
    subprocess.run([*pip, "--no-index", str(built.wheel)], check=True, capture_output=True)
    # The dependencies are those of the environment the tests run in; the package is not.
    site = next((environment / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    with Product("--demo", command=[str(environment / "bin" / "gptcode")]) as product:
        assert look_at(product) == []
