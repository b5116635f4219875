"""Install the wheel of dist/ in a clean environment, start it, and look at health and page.

``--wheel PATH`` takes another file (an sdist works as well), ``--python PATH`` another interpreter.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from scripts.product import Product, ProductError

ROOT = Path(__file__).resolve().parent.parent


def newest_wheel() -> Path:
    """The wheel in dist/. Raises ProductError if there is none."""
    wheels = sorted((ROOT / "dist").glob("*.whl"), key=lambda path: path.stat().st_mtime)
    if not wheels:
        raise ProductError("there is no wheel in dist/: run 'make dist'")
    return wheels[-1]


def install(wheel: Path, python: str, folder: Path) -> Path:
    """A clean environment with the wheel in it; returns its ``gptcode``."""
    environment = folder / "venv"
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "--disable-pip-version-check", str(wheel)], check=True, cwd=folder)
    return environment / "bin" / "gptcode"


def get(product: Product, path: str) -> tuple[int, str, bytes]:
    """Status, content type and body of a GET without any token."""
    with closing(product.connect()) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type", ""), response.read()


def look_at(product: Product) -> list[str]:
    """What is wrong with the running product; nothing if all is well."""
    wrong = []
    product.wait_healthy()
    status, kind, page = get(product, "/")
    if status != 200 or not kind.startswith("text/html"):
        wrong.append(f"GET / gave {status} {kind}")
    scripts = re.findall(r'(?:src|href)="(?:\./|/)?([^"]+\.(?:js|css))"', page.decode())
    if not scripts:
        wrong.append("the page names no script")
    for name in scripts:
        status, kind, body = get(product, f"/{name}")
        if status != 200 or not body or not kind.startswith(("text/", "application/javascript")):
            wrong.append(f"GET /{name} gave {status} {kind} with {len(body)} bytes")
    status, _, _ = get(product, "/api/conversations")
    if status != 401:
        wrong.append(f"GET /api/conversations without a token gave {status}")
    conversation = product.conversation()
    with product.events(conversation) as events:
        product.json("POST", f"/api/conversations/{conversation}/cells", {"code": "6 * 7"})
        output = events.until("cell_output")["output"]
        if output.get("data", {}).get("text/plain") != "42":
            wrong.append(f"6 * 7 gave {output}")
    return wrong


def main() -> int:
    """Install, start, look, report."""
    parser = argparse.ArgumentParser(description="Try the wheel in a clean environment.")
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--python", default=sys.executable)
    chosen = parser.parse_args()
    try:
        wheel = (chosen.wheel or newest_wheel()).resolve()
        with tempfile.TemporaryDirectory(prefix="gptcode-smoke-") as folder:
            command = install(wheel, chosen.python, Path(folder))
            with Product("--demo", command=[str(command)]) as product:
                wrong = look_at(product)
    except (ProductError, subprocess.CalledProcessError) as error:
        wrong = [str(error)]
    print(
        "\n".join(wrong)
        if wrong
        else f"{wheel.name} installs, starts, shows its page and runs code"
    )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
