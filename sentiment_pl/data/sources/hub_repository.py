"""A data set's repository on the Hugging Face hub, and the copy of it in the client's cache."""

import logging
from fnmatch import fnmatch
from pathlib import Path

from sentiment_pl.errors import DataError

log = logging.getLogger(__name__)


class HubRepository:
    """A data set's files on the hub, or in the cache of its client where the hub is out of reach.

    `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_OFFLINE` and tokens work as everywhere: all is done by
    `huggingface_hub`.
    """

    _PATIENCE = 5.0  # seconds

    def __init__(self, name: str, revision: str | None, *, needs: str = "*.*", remedy: str) -> None:
        """Name a repository.

        Args:
            name: OWNER/NAME.
            revision: branch, tag or commit.
            needs: pattern of the files without which a cached copy is of no use.
            remedy: what to do where it cannot be had.
        """
        self._name, self._revision = name, revision
        self._needs, self._remedy = needs, remedy
        self._commit: str | None = None
        self._online = False

    def commit(self) -> str:
        """The commit that is read: the hub's, or the cached one where the hub cannot be asked.

        One request, asked once.

        Raises:
            DataError: neither can be had.
        """
        if self._commit is None:
            from huggingface_hub import HfApi

            try:
                info = HfApi().dataset_info(
                    self._name, revision=self._revision, timeout=self._PATIENCE
                )
                self._commit, self._online = str(info.sha), True
            except Exception as error:
                reason = self._reason(error)
                self._commit = self._cached_commit()
                if self._commit is None:
                    raise DataError(
                        f"{reason}, and the cache ({self._cache()}) holds no copy.\n{self._remedy}"
                    ) from error
                log.warning("%s: reading the copy in the cache, %s", reason, self._cache())
        return self._commit

    def fetch(self, patterns: list[str], *, optional: bool = False) -> Path:
        """A local folder with the files that match, downloaded unless they are there already.

        Raises:
            DataError: they cannot be had, or, unless they are optional, there are none.
        """
        from huggingface_hub import snapshot_download

        commit = self.commit()
        try:
            folder = Path(
                snapshot_download(
                    self._name,
                    repo_type="dataset",
                    # By its name, so that the cache knows which commit the name stands for.
                    revision=self._revision if self._online and self._revision else commit,
                    allow_patterns=patterns,
                    local_files_only=not self._online,
                    etag_timeout=self._PATIENCE,
                )
            )
        except Exception as error:
            if optional and not self._online:
                return self._cache() / "snapshots" / commit
            raise DataError(
                f"{self._name} could not be downloaded whole: {self._reason(error)}. What has come"
                f" is kept, so the same command goes on from there.\n{self._remedy}"
            ) from error
        if folder.name != commit:
            raise DataError(f"{self._name} was changed on the hub just now: start again")
        if not optional and not any(
            fnmatch(file.relative_to(folder).as_posix(), pattern)
            for file in folder.rglob("*.*")
            for pattern in patterns
            if pattern != "README.md"
        ):
            raise DataError(
                f"{self._name}: no data files ({', '.join(patterns)}). Data sets that are a script"
                " cannot be read; data.revision=refs/convert/parquet asks for the copy in Parquet"
                " that the hub keeps of many"
            )
        return folder

    def _cache(self) -> Path:
        from huggingface_hub import constants

        return Path(constants.HF_HUB_CACHE) / f"datasets--{self._name.replace('/', '--')}"

    def _cached_commit(self) -> str | None:
        """The commit of the newest usable copy in the cache."""
        snapshots = self._cache() / "snapshots"
        if self._revision is not None:
            reference = self._cache() / "refs" / self._revision
            commits = [reference.read_text().strip() if reference.is_file() else self._revision]
        else:
            folders = snapshots.iterdir() if snapshots.is_dir() else ()
            commits = [
                folder.name
                for folder in sorted(folders, key=lambda folder: -folder.stat().st_mtime)
            ]
        for commit in commits:
            files = (snapshots / commit).rglob("*.*")
            if any(
                fnmatch(file.relative_to(snapshots / commit).as_posix(), self._needs)
                for file in files
                if file.name != "README.md"
            ):
                return commit
        return None

    def _reason(self, error: Exception) -> str:
        """Why the hub's client gave up, in plain words."""
        from huggingface_hub import constants, errors

        name, hub = self._name, constants.ENDPOINT
        if isinstance(error, errors.OfflineModeIsEnabled):
            return f"{name} cannot be looked up: HF_HUB_OFFLINE is set"
        if isinstance(error, errors.RevisionNotFoundError):
            return f"{name} has no revision {self._revision!r} on {hub}: check data.revision"
        if isinstance(error, errors.GatedRepoError):
            return f"{name} is gated: ask for access at {hub}/datasets/{name}, then `hf auth login`"
        if isinstance(error, errors.RepositoryNotFoundError):
            return (
                f"there is no data set {name} on {hub}, or it is private: check data.path, or log"
                " in with `hf auth login`"
            )
        if isinstance(error, errors.LocalEntryNotFoundError):  # what the client makes of a cause
            if isinstance(error.__cause__, Exception):
                return self._reason(error.__cause__)
            return f"the copy of {name} in the cache is not whole"
        if isinstance(error, errors.HfHubHTTPError):
            return f"{hub} answered with status {error.response.status_code} when asked for {name}"
        # The client's HTTP library is httpx or requests, by its version.
        library = type(error).__module__.partition(".")[0]
        if isinstance(error, OSError) or library.startswith(("httpx", "httpcore", "requests")):
            return f"no connection to {hub} to get {name} ({type(error).__name__})"
        raise error
