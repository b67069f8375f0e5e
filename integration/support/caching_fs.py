"""A file system of another machine, as NFS is: the kernel remembers names and attributes for a minute.

    caching_fs.py WHAT AT

shows the directory WHAT at AT. Whoever changes WHAT itself is the other machine. A file `hide-once` in WHAT, with the lines
`cur`, `old name`, `new name`, has the next reading of a directory of that name miss a message: it is renamed while it is read.
A file `swap-once`, with the lines `cur`, `name`, `other name`, `new name`, gives a name in such a directory to another file just
before the first one is removed or renamed, and the new name to the first one.
"""

import errno
import os
import stat
import sys

import pyfuse3
import trio

REMEMBERED = 60


class Remote(pyfuse3.Operations):
    enable_writeback_cache = False

    def __init__(self, what):
        super().__init__()
        self.what = what
        # By number, what each file is, whatever name it has.
        self.files = {pyfuse3.ROOT_INODE: os.open(what, os.O_PATH)}
        self.known = {os.stat(what).st_ino: pyfuse3.ROOT_INODE}

    def at(self, inode):
        return f"/proc/self/fd/{self.files[inode]}"

    def attributes(self, inode):
        found = os.fstat(self.files[inode])
        entry = pyfuse3.EntryAttributes()
        for name in ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime_ns", "st_mtime_ns", "st_ctime_ns"):
            setattr(entry, name, getattr(found, name))
        entry.st_ino = inode
        entry.generation = 0
        entry.entry_timeout = entry.attr_timeout = REMEMBERED
        return entry

    def enter(self, parent, name):
        try:
            file = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=self.files[parent])
        except OSError as error:
            raise pyfuse3.FUSEError(error.errno) from error
        number = os.fstat(file).st_ino
        inode = self.known.get(number)
        if inode is None:
            inode = self.known[number] = number + 1
            self.files[inode] = file
        else:
            os.close(file)
        return self.attributes(inode)

    async def lookup(self, parent, name, ctx=None):
        return self.enter(parent, name)

    async def getattr(self, inode, ctx=None):
        return self.attributes(inode)

    async def setattr(self, inode, attr, fields, fh, ctx):
        if fields.update_size:
            os.truncate(self.at(inode), attr.st_size)
        if fields.update_mode:
            os.chmod(self.at(inode), stat.S_IMODE(attr.st_mode))
        return self.attributes(inode)

    async def open(self, inode, flags, ctx):
        return pyfuse3.FileInfo(fh=os.open(self.at(inode), flags & ~(os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)))

    async def create(self, parent, name, mode, flags, ctx):
        try:
            file = os.open(name, flags | os.O_CREAT, mode, dir_fd=self.files[parent])
        except OSError as error:
            raise pyfuse3.FUSEError(error.errno) from error
        return pyfuse3.FileInfo(fh=file), self.enter(parent, name)

    async def read(self, fh, offset, size):
        return os.pread(fh, size, offset)

    async def write(self, fh, offset, octets):
        # A file opened to be appended to is written at its end, wherever the kernel took that for.
        return os.write(fh, octets) if self.appends(fh) else os.pwrite(fh, octets, offset)

    def appends(self, fh):
        with open(f"/proc/self/fdinfo/{fh}", encoding="ascii") as about:
            flags = next(line for line in about if line.startswith("flags:"))
        return int(flags.split()[1], 8) & os.O_APPEND

    async def fsync(self, fh, data_only):
        os.fsync(fh)

    async def fsyncdir(self, fh, data_only):
        pass

    async def flush(self, fh):
        pass

    async def release(self, fh):
        os.close(fh)

    async def mkdir(self, parent, name, mode, ctx):
        os.mkdir(name, mode, dir_fd=self.files[parent])
        return self.enter(parent, name)

    async def unlink(self, parent, name, ctx):
        self.swap(parent, name)
        try:
            os.unlink(name, dir_fd=self.files[parent])
        except OSError as error:
            raise pyfuse3.FUSEError(error.errno) from error

    async def link(self, inode, parent, name, ctx):
        try:
            os.link(self.at(inode), name, dst_dir_fd=self.files[parent], follow_symlinks=True)
        except OSError as error:
            raise pyfuse3.FUSEError(error.errno) from error
        return self.enter(parent, name)

    async def rename(self, old_parent, old, new_parent, new, flags, ctx):
        if flags:
            raise pyfuse3.FUSEError(errno.EINVAL)
        self.swap(old_parent, old)
        try:
            os.rename(old, new, src_dir_fd=self.files[old_parent], dst_dir_fd=self.files[new_parent])
        except OSError as error:
            raise pyfuse3.FUSEError(error.errno) from error

    async def opendir(self, inode, ctx):
        return inode

    async def readdir(self, inode, offset, token):
        names = sorted(os.listdir(self.at(inode)))
        hidden = self.hidden(inode) if offset == 0 else ()
        for number, name in enumerate(names[offset:], offset + 1):
            if name in hidden:
                continue
            try:
                entry = self.enter(inode, os.fsencode(name))
            except pyfuse3.FUSEError:
                continue
            if not pyfuse3.readdir_reply(token, os.fsencode(name), entry, number):
                break

    def swap(self, parent, name):
        order = os.path.join(self.what, "swap-once")
        try:
            with open(order, encoding="utf-8") as lines:
                directory, taken, other, new = lines.read().split("\n")[:4]
        except FileNotFoundError:
            return
        place = os.readlink(self.at(parent))
        if os.path.basename(place) != directory or os.fsdecode(name) != taken:
            return
        os.unlink(order)
        os.rename(os.path.join(place, taken), os.path.join(place, new))
        os.rename(os.path.join(place, other), os.path.join(place, taken))

    def hidden(self, inode):
        order = os.path.join(self.what, "hide-once")
        try:
            with open(order, encoding="utf-8") as lines:
                directory, old, new = lines.read().split("\n")[:3]
        except FileNotFoundError:
            return ()
        place = os.readlink(self.at(inode))
        if os.path.basename(place) != directory:
            return ()
        os.unlink(order)
        os.rename(os.path.join(place, old), os.path.join(place, new))
        return (old, new)


def main():
    what, at = sys.argv[1:]
    options = set(pyfuse3.default_options) | {"fsname=caching_fs", "allow_other"}
    pyfuse3.init(Remote(what), at, options)
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close(unmount=False)


main()
