# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A git project made of a real source package, with proposed changes, as a review system would show it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_sources import machine_sources

SPEC = """\
Name:           hello
Version:        2.10
Release:        3%{?dist}
Summary:        The friendly greeting program of the GNU project
License:        GPL-3.0-or-later
Group:          Development/Tools
Packager:       A Developer <developer@example.org>
URL:            https://www.gnu.org/software/hello/
Source0:        %{name}-%{version}.tar.gz
BuildRequires:  gcc, make

%description
GNU hello prints a friendly greeting. It shows how a program is written,
translated, documented and packaged.

%prep
%setup -q

%build
%configure --disable-dependency-tracking
%make_build

%check
make check

%install
%make_install
rm -f %{buildroot}%{_infodir}/dir

%files
%license COPYING
%doc AUTHORS NEWS README
%{_bindir}/hello
%{_mandir}/man1/hello.1*
%{_infodir}/hello.info*
%{_datadir}/locale/*/LC_MESSAGES/hello.mo

%changelog
* Thu Jan 01 2026 A Developer <developer@example.org> - 2.10-3
- Package the GNU project's hello.
"""


def fetch_source(package: str, folder: Path) -> Path:
    """Unpack a source package, fetched by apt from the machine's own mirror; returns the tree."""
    tree = folder / "tree"
    if tree.exists():
        return tree
    for name in ("lists/partial", "cache/archives/partial", "download"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    sources = folder / "source.sources"
    sources.write_text(machine_sources(types="deb-src"))
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "source", package], check=True, cwd=folder / "download", stdout=subprocess.DEVNULL)
    unpacked = next(path for path in (folder / "download").iterdir() if path.is_dir())
    shutil.rmtree(unpacked / ".pc", ignore_errors=True)
    unpacked.rename(tree)
    return tree


class Project:
    """A bare repository as the review system has it, and a work tree to propose changes from."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.bare = folder / f"{name}.git"
        self.work = folder / f"{name}-work"

    def git(self, *arguments: str) -> str:
        """git in the work tree, with an author and dates that do not change."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.work.parent),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_NAME": "A Developer" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "developer@example.org" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_DATE": "2026-01-01T00:00:00Z" for who in ("AUTHOR", "COMMITTER")},
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.work, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def create(self, files: dict[str, str], tree: Path | None = None) -> None:
        """Begin the project with a source tree and more files."""
        if tree is not None:
            shutil.copytree(tree, self.work, symlinks=True)
        self.work.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write(files)
        self.commit("Import the source package")
        self.work.parent.mkdir(exist_ok=True)
        subprocess.run(["git", "init", "--quiet", "--bare", str(self.bare)], check=True)
        self.git("push", "--quiet", str(self.bare), "main")

    def write(self, files: dict[str, str]) -> None:
        """Write files into the work tree."""
        for name, text in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if name in ("debian/rules", "tiny", "hello"):
                path.chmod(0o755)

    def commit(self, subject: str) -> None:
        """Commit everything in the work tree."""
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--message", subject)

    def propose(self, number: int, subject: str, files: dict[str, str]) -> dict[str, str]:
        """Propose a change on top of main as it is now; returns it as a queue names it."""
        self.git("fetch", "--quiet", str(self.bare), "main")
        self.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
        self.write(files)
        self.commit(subject)
        ref = f"refs/changes/{number % 100:02}/{number}/1"
        self.git("push", "--quiet", "--force", str(self.bare), f"HEAD:{ref}")
        return {
            "project": self.name,
            "branch": "main",
            "ref": ref,
            "change_id": str(number),
            "patch_set": "1",
        }

    def merge(self, change: dict[str, str]) -> None:
        """Merge a change into main, as the review system does when it is submitted."""
        self.git("fetch", "--quiet", str(self.bare), "main", change["ref"])
        main, head = (
            self.git("ls-remote", str(self.bare), ref).split()[0] for ref in ("main", change["ref"])
        )
        self.git("checkout", "--quiet", "--detach", main)
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge change {change['change_id']}", head)
        self.git("push", "--quiet", str(self.bare), "HEAD:main")

    def read(self, name: str) -> str:
        """A file of the work tree as it is now."""
        return (self.work / name).read_text()
