# Makes a person's password years old: arguments are the configuration, the database and the person's DN.
import sys

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

configuration, database, dn = sys.argv[1:]
settings = LoadParm()
settings.load(configuration)
directory = SamDB(url=database, lp=settings, session_info=system_session())
change = ldb.Message(ldb.Dn(directory, dn))
change["pwdLastSet"] = ldb.MessageElement("130000000000000000", ldb.FLAG_MOD_REPLACE, "pwdLastSet")
# DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID: else the server itself says when it was set.
directory.modify(change, controls=["local_oid:1.3.6.1.4.1.7165.4.3.12:0"])
