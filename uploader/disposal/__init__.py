"""What becomes of a source once its items exist: it is archived or deleted, if it still is what was uploaded."""

from uploader.disposal.disposing import Disposed, dispose
from uploader.disposal.hiding import Leftover, leftovers, put_back
from uploader.disposal.rights import rights

__all__ = ["Disposed", "Leftover", "dispose", "leftovers", "put_back", "rights"]
