//! `active-directory.md`, with a domain controller of Samba on Debian. What the guide tells for Windows is only shown.

use super::{ADMINISTRATOR, Follower, Guide};

/// A domain that exists before the guide begins, whose controller shows a certificate of another authority.
fn with_domain() -> Follower {
    let follower = Follower::new();
    follower.succeeds(&format!(
        "rm -f /etc/samba/smb.conf
         samba-tool domain provision --realm=EXAMPLE.ORG --domain=EXAMPLE --server-role=dc --dns-backend=NONE \
             --host-name=dc1 --adminpass='{ADMINISTRATOR}' 2>&1
         install -m 0600 /shelf/server.key /var/lib/samba/private/dc1.key
         sed -i '/server services/d' /etc/samba/smb.conf
         sed -i '/^.global.$/a server services = ldap\\ntls cafile = /shelf/ca.pem\\ntls certfile = /shelf/server.pem\\n\
             tls keyfile = /var/lib/samba/private/dc1.key' /etc/samba/smb.conf
         systemctl start samba-ad-dc
         openssl x509 -in /shelf/ca.pem -outform der -out authority.cer
         samba-tool ou create OU=People
         samba-tool user create ada 'Engine 1843' --userou=OU=People --given-name=Ada --surname=Lovelace
         samba-tool user create alan 'Machine 1936' --userou=OU=People --given-name=Alan --surname=Turing"
    ));
    follower.write(
        "addresses.ldif",
        "dn: CN=Ada Lovelace,OU=People,DC=example,DC=org\nchangetype: modify\nadd: proxyAddresses\n\
         proxyAddresses: SMTP:ada.lovelace@example.org\nproxyAddresses: smtp:countess@example.org\n",
    );
    follower.machine.waits_for("exec 3<> /dev/tcp/127.0.0.1/636");
    follower.run(
        "LDAPTLS_CACERT=/shelf/ca.pem ldapmodify -x -H ldaps://dc1.example.org \
             -D cn=Administrator,cn=Users,dc=example,dc=org -W -f addresses.ldif",
    );
    follower.deliver("ada", "1.first", "Hello");
    follower
}

#[test]
fn an_active_directory_set_up_by_the_guide_serves_the_first_mail_and_its_account_states() {
    let (guide, follower) = (Guide::read("active-directory.md"), with_domain());
    follower.follow(&guide);
    follower.succeeds(
        "samba-tool user disable ada; restante flush --config /etc/restante/restante.yaml
         ! curl --silent --user 'ada:Engine 1843' pop3s://pop.example.org/",
    );
    follower.machine.waits_for("journalctl -u restante -o cat | grep -q 'account disabled'");
}
