#!/bin/sh
# Build the image of a release: deploy/release.sh VERSION. Its base is pinned by the digest that the registry has now for
# the tag in the Dockerfile, so the same release can be built on it again.
set -eu
[ $# -eq 1 ] || { echo "usage: deploy/release.sh VERSION" >&2; exit 2; }
cd "$(dirname "$0")/.."
tag=$(sed -n 's/^ARG BASE=//p' deploy/Dockerfile)
digest=$(docker buildx imagetools inspect "$tag" --format '{{.Manifest.Digest}}')
echo "base image $tag@$digest"
exec docker build -f deploy/Dockerfile --build-arg "BASE=$tag@$digest" -t "plaudit:$1" .
