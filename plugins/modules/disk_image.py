#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: disk_image
short_description: Have a disk image, named by the digest of what it is made from
version_added: 0.1.0
description:
  - Has an image of a name on this host. Its key is a digest over all that it is made from, which is the
    trees of its elements, the commits of its sources, the states of the repositories, its base image, the
    versions of the tools that build it, and the parameters.
  - An image whose key is there already is reused. Otherwise it is built, and RV(changed_inputs) says why.
  - An image appears in C(OUTPUT/NAME/KEY) by one rename, when all of it is on disk with its checksums. It
    never changes after that. A killed run leaves nothing that could be taken for an image.
  - With O(run_dir) it is a stage. It takes sources and elements from the workspace, and adds the image's
    files to the run as artifacts.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.run.stage
options:
  name:
    description: What the image is, such as V(appliance).
    type: str
    required: true
  builder:
    description:
      - V(dib) is diskimage-builder, which makes an image of O(elements).
      - V(mmdebstrap) makes a plain root filesystem of the Debian family of O(packages).
    type: str
    choices: [dib, mmdebstrap]
    required: true
  suite:
    description: The distribution's code name. The default is this host's own.
    type: str
  elements:
    description: >-
      The elements of diskimage-builder that it is made of. Those that they depend on come by themselves.
    type: list
    elements: str
    default: []
  element_path:
    description:
      - Folders that hold elements; the first one that has an element wins, and those of diskimage-builder
        come last.
      - A relative one lies in the workspace and begins with a project's name.
    type: list
    elements: path
    default: []
  packages:
    description: Packages beyond the minimal system, or beyond those of the elements.
    type: list
    elements: str
    default: []
  sources:
    description:
      - Projects of the workspace whose commits go into the image. The builder C(dib) gets their addresses and
        commits as C(DIB_REPOLOCATION_*) and C(DIB_REPOREF_*).
      - Without O(run_dir), absolute paths of checkouts. What is committed there counts.
      - One that no element uses is an error.
    type: list
    elements: str
    default: []
  repositories:
    description:
      - Apt sources whose packages come before the distribution's, such as a test repository; the first one
        has the highest priority.
      - Each is a deb822 text, or a mapping of C(text) and C(digest), which identifies the state of its
        packages. Without a digest that of its C(InRelease) file counts.
    type: list
    elements: raw
    default: []
  mirror:
    description: Where the distribution comes from, as deb822 text. The default is what this host's apt uses.
    type: str
  base:
    description: The path of an image or archive to begin with.
    type: path
  formats:
    description:
      - What is made. V(root) is a directory, for test environments that are no machines.
    type: list
    elements: str
    choices: [qcow2, raw, tar, root]
    default: [qcow2]
  size:
    description: The size of the disk, such as V(10G), or in bytes. The default is as much as is needed.
    type: str
  architecture:
    description: The architecture as dpkg names it. The default is this host's own.
    type: str
  environment:
    description:
      - Environment variables for the build. They are inputs, and their values are no secrets.
    type: dict
    default: {}
  output:
    description: The folder on this host that holds all images.
    type: path
    required: true
  snapshots:
    description:
      - The states that suites of the distribution are taken to have, by suite, so that its updates make no
        new image.
      - A digest (C(sha256:…) of the C(InRelease) file) is compared with the mirror when an image has to be
        built. Any other word is the caller's own name for a state.
      - Without it, the C(InRelease) files are read at each call.
    type: dict
    default: {}
  when_unchanged:
    description:
      - V(build) has the image that the inputs ask for.
      - V(use CHANNEL), such as V(use latest) or V(use 3.0.0), takes the image that is published under this
        channel or version, unless a change of the queue belongs to one of O(projects). While a channel names
        no image, it is built.
      - In a run the artifacts of such an image say so as C(taken), and no promotion publishes them again.
    type: str
    default: build
  projects:
    description: >-
      The projects that the image's inputs come from, for O(when_unchanged). The default is O(sources).
    type: list
    elements: str
    default: []
  published:
    description:
      - Where images are published, as a path or an http, https or file address, for O(when_unchanged). The
        image is C(PUBLISHED/NAME/CHANNEL), as M(distrogate.ci.file_publish) lays it out.
      - It is fetched once, and refused when a file differs from C(SHA256SUMS).
    type: str
  published_key:
    description:
      - The path on this host of an exported OpenPGP public key. With it C(SHA256SUMS) must have a good
        signature of that key, in C(SHA256SUMS.asc).
      - Needed where O(published) is an http or https address, since what comes over a network is believed by
        its signature alone. Files of this host are taken without one when it is not set.
    type: path
  verify:
    description:
      - V(quick) takes the files of an image to be whole when their sizes, times and inodes are those that
        they had when they were last read.
      - V(full) reads them. A damaged image is made anew.
    type: str
    choices: [quick, full]
    default: quick
  timeout:
    description:
      - How long building or fetching may take, in seconds, and how long to wait for another run that builds
        an image of this name.
    type: int
    default: 7200
  free_space:
    description: >-
      What must stay free where O(output) lies, such as V(5G). It is looked at before and while it builds.
    type: str
    default: 1G
  run_dir:
    description: The run directory, on this host. Without it the image belongs to no run.
    type: path
  stage:
    description: The name under which C(stages/NAME.json) and C(logs/NAME.log) are written.
    type: str
    default: image
  progress_file:
    description:
      - The file in which the module says what it is doing, for the action plugin of the same name, which
        gives it and shows it.
    type: path
"""

EXAMPLES = r"""
---
- name: Have the appliance's image of the commits under test
  distrogate.ci.disk_image:
    name: appliance
    builder: dib
    elements: [debian-minimal, appliance]
    element_path: [openstack/appliance/elements]
    sources: [openstack/my-service]
    output: /srv/distrogate/images
    run_dir: /srv/distrogate/runs/check-1234
    reads: [workspace]

- name: Take the latest good image, unless the queue changes it
  distrogate.ci.disk_image:
    name: appliance
    builder: dib
    elements: [debian-minimal, appliance]
    element_path: [openstack/appliance/elements]
    projects: [openstack/appliance]
    when_unchanged: use latest
    published: https://images.example.org
    published_key: /etc/distrogate/images.asc
    output: /srv/distrogate/images
    run_dir: /srv/distrogate/runs/check-1234
    reads: [workspace]

- name: Have a root directory for test environments, by hand
  distrogate.ci.disk_image:
    name: te-root
    builder: mmdebstrap
    packages: [python3-minimal, systemd-sysv]
    formats: [root]
    output: /srv/distrogate/images
"""

RETURN = r"""
---
image:
  description: The folder of the image; in check mode where it would be.
  returned: success
  type: str
key:
  description: The digest of all that it is made from.
  returned: success
  type: str
  sample: sha256:3f0c0a2bdc3e9f7d5a7be7a3a8dbdc8e4a1d4d04f3f0f2f3c9f1a7b1f6f5f0aa
reused:
  description: Whether it was there, or is a published one.
  returned: success
  type: bool
from:
  description: V(built), V(reused), or the channel or version that it was taken from.
  returned: success
  type: str
changed_inputs:
  description: The names of inputs that differ from those of the newest image of that name, when it was built.
  returned: success
  type: list
  elements: str
  sample: ['element:appliance', 'source:openstack/my-service']
files:
  description: The image in its formats.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The file's name.
      type: str
    format:
      description: Its format.
      type: str
    path:
      description: Where it is on this host.
      type: str
    sha256:
      description: Its digest; of a root directory that of the tree.
      type: str
    size:
      description: Its size in bytes.
      type: int
stage:
  description: What the stage's file says, in short.
  returned: with O(run_dir)
  type: dict
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._images._disk_image import (
    IMAGE_OPTIONS,
    image_alone,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_stage import image_stage


def main() -> None:
    with module_call(IMAGE_OPTIONS) as call, Progress(call.params["progress_file"]) as progress:
        if call.params["run_dir"]:
            image_stage(call, Run(call.params["run_dir"]), progress.say)
        else:
            image_alone(call, progress.say)


if __name__ == "__main__":
    main()
