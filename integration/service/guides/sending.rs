//! `sending.md`, with Debian's Postfix as its package sets it up.

use super::{Follower, Guide};

#[test]
fn mail_that_postfix_delivers_by_the_guide_is_served() {
    let (guide, follower) = (Guide::read("sending.md"), Follower::new());
    follower.serve("");
    follower.succeeds(
        "cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
         cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
         postconf -e 'myhostname = mx.example.org' 'mydestination = localhost' 'default_transport = error:outside'
         newaliases; systemctl start postfix",
    );
    follower.follow(&guide);
    // A message for nobody is refused by the table.
    let refused = follower.print(
        "printf 'Subject: x\\n\\nx\\n' > x; curl --silent --show-error --mail-from grace@example.net \
             --mail-rcpt nobody@example.org --upload-file x smtp://mx.example.org/x",
    );
    assert!(refused.contains("550"), "{refused}");
}
