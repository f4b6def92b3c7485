"""A local copy of a report, whose page opens in a browser when the cloud that made it has stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from include.scones.capture.publishing.index import write_index
from include.scones.capture.stores.folder import FolderStore
from include.scones.capture.stores.opening import open_bucket


def copy_report(uri: str, home: Path) -> Path:
    """Copy what lies beside a report's page, which is at the s3:// `uri`, to a folder of the same key below `home`.

    The page of all days there lists those that were copied. Gives back the path of the report's page.
    """
    return copy_reports([uri], home)[0]


def copy_reports(uris: Sequence[str], home: Path) -> list[Path]:
    """The same for several reports of one place."""
    places = [uri.removeprefix("s3://").split("/", 1) for uri in uris]
    copies = FolderStore(home)
    for bucket, key in places:
        store, folder = open_bucket(bucket), key.rpartition("/")[0]
        for item in store.objects(f"{folder}/"):
            copies.write(item.key, store.read(item.key), content_type="")
    write_index(copies, folder.rpartition("/")[0])
    return [home.resolve() / key for _, key in places]
