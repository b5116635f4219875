"""The package's metadata, and the step of its build that makes the page.

Invariant: no wheel and no sdist leaves without a built page that fits its sources.
"""

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent

# Each has its reason in the README's table; tests/test_docs.py holds the two together.
RUNTIME = [
    "flask>=3.1,<4",
    "flask-cors>=6,<7",
    "cheroot>=11,<12",
    "pydantic>=2.10,<3",
    "openai>=3,<4",
    "snakemq==1.6",
    "jupyter_client>=8.6,<9",
    "ipykernel>=7,<8",
    "nbformat>=5.10,<6",
    "markdown-it-py>=3,<5",
    "pygments>=2.18,<3",
    "nh3>=0.2.18,<1",
    "python-dotenv>=1.0,<2",
    "keyring>=25,<26",
    "mcp>=2.3,<3",
    "pandas>=2.2,<4",
    "matplotlib>=3.9,<4",
]
DATA = [
    "numpy>=2",
    "scipy>=1.14",
    "scikit-learn>=1.5",
    "statsmodels>=0.14",
    "seaborn>=0.13",
    "openpyxl>=3.1",
    "xlrd>=2",
    "pyarrow>=17",
    "plotly>=6",
    "altair>=5.5",
    "pypdf>=5",
    "python-docx>=1.1",
    "pillow>=10",
    "lxml>=5",
    "tabulate>=0.9",
]
DEV = [
    "altair>=5.5",
    "build>=1.2",
    "hypothesis>=6",
    "mypy>=2",
    "openpyxl>=3.1",
    "packaging>=24",
    "pip-audit>=2.9",
    "plotly>=6",
    "polars>=1",
    "psutil>=6",
    "pyarrow>=17",
    "pypdf>=5",
    "pytest>=9",
    "python-docx>=1.1",
    "ruff>=0.17,<0.18",
    "scikit-learn>=1.5",
    "setuptools>=77",
    "twine>=6",
]


def page_builder() -> ModuleType:
    """scripts/build_page.py, loaded by its path: a build does not have the tree on sys.path."""
    path = ROOT / "scripts" / "build_page.py"
    spec = importlib.util.spec_from_file_location("build_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ensure_page() -> None:
    """Build the page if it is missing or stale; ends the build with one line if that fails."""
    builder = page_builder()
    try:
        builder.Page(ROOT).ensure()
    except builder.BuildError as error:
        raise SystemExit(f"error: {error}") from None


class BuildWithPage(build_py):
    """The package's modules and its page."""

    def run(self) -> None:
        ensure_page()
        # Built names carry hashes: what an earlier build left would travel along.
        shutil.rmtree(Path(self.build_lib) / "gpt_code_ui" / "web" / "static", ignore_errors=True)
        super().run()


class SdistWithPage(sdist):
    """The sources, with the built page: an sdist installs where there is no Node."""

    def run(self) -> None:
        ensure_page()
        super().run()


def read(name: str) -> str:
    """A text file beside this one."""
    return (ROOT / name).read_text(encoding="utf-8")


def version() -> str:
    """The version, from the one place where it stands."""
    found = re.search(r'^__version__ = "(.+)"$', read("gpt_code_ui/__init__.py"), re.MULTILINE)
    assert found is not None
    return found[1]


if __name__ == "__main__":
    setup(
        name="gpt-code-ui",
        version=version(),
        description="A local code interpreter: ask, watch the code run, get the file back",
        long_description=read("README.md"),
        long_description_content_type="text/markdown",
        author="GPT-Code UI contributors",
        license="MIT",
        license_files=["LICENSE"],
        keywords=["code interpreter", "jupyter", "llm", "data analysis", "notebook"],
        classifiers=[
            "Development Status :: 4 - Beta",
            "Environment :: Web Environment",
            "Framework :: Flask",
            "Framework :: Jupyter",
            "Intended Audience :: End Users/Desktop",
            "Intended Audience :: Science/Research",
            "Natural Language :: Chinese (Simplified)",
            "Natural Language :: English",
            "Operating System :: MacOS",
            "Operating System :: POSIX :: Linux",
            "Programming Language :: Python :: 3",
            "Programming Language :: Python :: 3 :: Only",
            "Programming Language :: Python :: 3.11",
            "Programming Language :: Python :: 3.12",
            "Programming Language :: Python :: 3.13",
            "Programming Language :: Python :: 3.14",
            "Topic :: Scientific/Engineering",
            "Typing :: Typed",
        ],
        python_requires=">=3.11",
        packages=find_packages(include=["gpt_code_ui", "gpt_code_ui.*"], exclude=["*.static*"]),
        package_data={"gpt_code_ui": ["py.typed", "system_prompt.md", "web/static/**/*"]},
        include_package_data=False,
        install_requires=RUNTIME,
        extras_require={"data": DATA, "dev": DEV},
        entry_points={"console_scripts": ["gptcode = gpt_code_ui.cli:main"]},
        cmdclass={"build_py": BuildWithPage, "sdist": SdistWithPage},
        zip_safe=False,
    )
