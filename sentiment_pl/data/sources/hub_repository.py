"""The repository of a data set on the Hugging Face hub, and its copy in the client's cache."""

import logging
from fnmatch import fnmatch
from pathlib import Path

from sentiment_pl.errors import DataError

log = logging.getLogger(__name__)


class HubRepository:
    """The files of a data set on the hub, or in the client's cache if the hub cannot be reached.

    `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_OFFLINE` and tokens work as usual, since `huggingface_hub`
    does the work.
    """

    _PATIENCE = 5.0  # seconds

    def __init__(self, name: str, revision: str | None, *, needs: str = "*.*", remedy: str) -> None:
        """Prepare access to a repository; nothing is fetched yet.

        Args:
            name: OWNER/NAME.
            revision: branch, tag or commit.
            needs: pattern of the files without which a cached copy is useless.
            remedy: what to do if the files cannot be fetched, for messages.
        """
        self._name, self._revision = name, revision
        self._needs, self._remedy = needs, remedy
        self._commit: str | None = None
        self._online = False

    def commit(self) -> str:
        """Return the commit that is read: the hub's, or the cached one if the hub is unreachable.

        The hub is asked once.

        Raises:
            DataError: the hub is unreachable, and the cache has no copy.
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
        """Return a local folder with the files that match, downloading those that are missing.

        Raises:
            DataError: they cannot be downloaded, or there are none and they are not optional.
        """
        from huggingface_hub import snapshot_download

        commit = self.commit()
        try:
            folder = Path(
                snapshot_download(
                    self._name,
                    repo_type="dataset",
                    # By its name, so that the cache records which commit the name means.
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
        """Return the commit of the newest usable copy in the cache."""
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
        """Describe why the hub's client failed."""
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
        if isinstance(error, errors.LocalEntryNotFoundError):  # the client wraps the cause in it
            if isinstance(error.__cause__, Exception):
                return self._reason(error.__cause__)
            return f"the copy of {name} in the cache is not whole"
        if isinstance(error, errors.HfHubHTTPError):
            return f"{hub} answered with status {error.response.status_code} when asked for {name}"
        # The client's HTTP library is httpx or requests, depending on its version.
        library = type(error).__module__.partition(".")[0]
        if isinstance(error, OSError) or library.startswith(("httpx", "httpcore", "requests")):
            return f"no connection to {hub} to get {name} ({type(error).__name__})"
        raise error
