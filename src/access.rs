//! Authorization: the `Policy` of roles, and `authorize`, which turns a `Person` into a `Grant` or a `Denial`.
//!
//! The Discord front end calls it for every command and again for every button press, because roles change and values come from the client.
//! It knows nothing of Discord's client, of messages to people, or of Droplets.

use std::collections::BTreeSet;

use crate::operation::ids::{GuildId, RoleId, UserId};

/// What a person may be allowed to do. A greater right includes every smaller one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// See Droplets, Snapshots and operations.
    View,
    /// Take Snapshots; stop operations that one started oneself, and answer their questions.
    Take,
    /// Restore, launch and delete; stop operations that others started, and answer their questions.
    Restore,
}

impl Right {
    /// Every right, from the smallest to the greatest.
    pub const ALL: [Self; 3] = [Self::View, Self::Take, Self::Restore];

    /// What `person` needs to stop an operation that `requester` started, or to answer its question.
    pub fn over(requester: UserId, person: UserId) -> Self {
        if requester == person { Self::Take } else { Self::Restore }
    }
}

/// A person who uses a command or presses a button, as Discord's payload describes them at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The guild in which they act; `None` in a direct message.
    pub guild: Option<GuildId>,
    /// Their user id.
    pub user: UserId,
    /// The roles that they have there; Discord omits `@everyone`, whose id is the guild's.
    pub roles: BTreeSet<RoleId>,
    /// Whether `member.permissions` has Administrator.
    pub administrator: bool,
    /// Whether `member.permissions` has Manage Server (`MANAGE_GUILD`).
    pub manage_guild: bool,
}

impl Person {
    fn runs_the_guild(&self) -> bool {
        self.administrator || self.manage_guild
    }

    fn holds_any(&self, guild: GuildId, roles: &BTreeSet<RoleId>) -> bool {
        roles.iter().any(|role| role.0 == guild.0 || self.roles.contains(role))
    }
}

/// Proof that a person may do something. Only [`Policy::authorize`] creates one, so a function that takes a `Grant` cannot
/// be called without an authorization check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    guild: GuildId,
    user: UserId,
    right: Right,
}

impl Grant {
    /// The guild in which it is valid.
    pub fn guild(&self) -> GuildId {
        self.guild
    }

    /// The person who holds it.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// The right that was requested and granted; it includes every smaller right.
    pub fn right(&self) -> Right {
        self.right
    }

    /// Whether this Grant covers `needed`.
    pub fn covers(&self, needed: Right) -> bool {
        self.right >= needed
    }
}

/// Why a person may not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The request came from a direct message, where nobody has roles.
    NotInGuild,
    /// The request came from a guild that this bot does not serve.
    ForeignGuild,
    /// The person has none of the roles that carry the right.
    MissingRole {
        /// The right that was requested.
        right: Right,
        /// The roles that carry it; never empty.
        roles: Vec<RoleId>,
    },
    /// No role is configured for this right, so only people with Administrator or Manage Server have it.
    NobodyConfigured {
        /// The right that was requested.
        right: Right,
    },
}

/// The rights that Administrator and Manage Server carry on their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdminsMay {
    /// Every right.
    #[default]
    Everything,
    /// No right: only roles count.
    Nothing,
}

/// Which guilds the bot serves, and which roles carry which right there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    guilds: BTreeSet<GuildId>,
    roles: Roles,
    admins: AdminsMay,
}

/// The roles configured for each right; [`Policy`] adds that a greater right includes the smaller ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Roles that may view.
    pub view: BTreeSet<RoleId>,
    /// Roles that may take Snapshots.
    pub take: BTreeSet<RoleId>,
    /// Roles that may do everything, including restoring.
    pub restore: BTreeSet<RoleId>,
}

impl Roles {
    fn named_for(&self, right: Right) -> &BTreeSet<RoleId> {
        match right {
            Right::View => &self.view,
            Right::Take => &self.take,
            Right::Restore => &self.restore,
        }
    }
}

impl Policy {
    /// The policy for `guilds` with the configured `roles`. People with Administrator or Manage Server may do everything there.
    pub fn new(guilds: impl IntoIterator<Item = GuildId>, roles: Roles) -> Self {
        Self { guilds: guilds.into_iter().collect(), roles, admins: AdminsMay::default() }
    }

    /// This policy with other rights for people with Administrator or Manage Server.
    #[must_use]
    pub fn with_admins(self, admins: AdminsMay) -> Self {
        Self { admins, ..self }
    }

    /// The rights that Administrator and Manage Server carry on their own.
    pub fn admins_may(&self) -> AdminsMay {
        self.admins
    }

    /// The guilds that the bot serves.
    pub fn guilds(&self) -> impl Iterator<Item = GuildId> {
        self.guilds.iter().copied()
    }

    /// Whether any role is configured at all. If not, only people with Administrator or Manage Server may do anything.
    pub fn names_roles(&self) -> bool {
        !self.sufficient(Right::View).is_empty()
    }

    /// Every role that carries `right`, either directly or through a greater right.
    pub fn sufficient(&self, right: Right) -> BTreeSet<RoleId> {
        let enough = Right::ALL.into_iter().filter(|candidate| *candidate >= right);
        enough.flat_map(|candidate| self.roles.named_for(candidate).iter().copied()).collect()
    }

    /// The guild of `person`, if the bot serves it: enough to be shown help, but nothing else.
    pub fn admit(&self, person: &Person) -> Result<GuildId, Denial> {
        let guild = person.guild.ok_or(Denial::NotInGuild)?;
        if self.guilds.contains(&guild) { Ok(guild) } else { Err(Denial::ForeignGuild) }
    }

    /// Decides whether `person` currently has `right`.
    pub fn authorize(&self, person: &Person, right: Right) -> Result<Grant, Denial> {
        let guild = self.admit(person)?;
        let roles = self.sufficient(right);
        let by_running_it = self.admins == AdminsMay::Everything && person.runs_the_guild();
        if by_running_it || person.holds_any(guild, &roles) {
            return Ok(Grant { guild, user: person.user, right });
        }
        if roles.is_empty() {
            Err(Denial::NobodyConfigured { right })
        } else {
            Err(Denial::MissingRole { right, roles: roles.into_iter().collect() })
        }
    }

    /// The greatest right that `person` currently has, if any.
    pub fn greatest(&self, person: &Person) -> Option<Right> {
        Right::ALL.into_iter().rev().find(|right| self.authorize(person, *right).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_set, prelude::*};

    use super::*;

    const HOME: GuildId = GuildId(1000);

    fn person(roles: &[u64]) -> Person {
        let roles = roles.iter().copied().map(RoleId).collect();
        Person { guild: Some(HOME), user: UserId(7), roles, administrator: false, manage_guild: false }
    }

    fn policy() -> Policy {
        let only = |role| BTreeSet::from([RoleId(role)]);
        Policy::new([HOME], Roles { view: only(1), take: only(2), restore: only(3) })
    }

    fn roles() -> impl Strategy<Value = BTreeSet<RoleId>> {
        btree_set((1..12_u64).prop_map(RoleId), 0..5)
    }

    fn any_policy() -> impl Strategy<Value = Policy> {
        let guilds = btree_set((1000..1003_u64).prop_map(GuildId), 0..3);
        (guilds, roles(), roles(), roles(), any::<bool>()).prop_map(|(guilds, view, take, restore, admins)| {
            let admins = if admins { AdminsMay::Everything } else { AdminsMay::Nothing };
            Policy::new(guilds, Roles { view, take, restore }).with_admins(admins)
        })
    }

    fn any_person() -> impl Strategy<Value = Person> {
        let guild = proptest::option::of((1000..1004_u64).prop_map(GuildId));
        (guild, roles(), any::<bool>(), any::<bool>()).prop_map(|(guild, roles, administrator, manage_guild)| Person {
            guild,
            user: UserId(7),
            roles,
            administrator,
            manage_guild,
        })
    }

    fn any_right() -> impl Strategy<Value = Right> {
        proptest::sample::select(Right::ALL.to_vec())
    }

    #[test]
    fn each_role_does_what_it_is_named_for_and_no_more() {
        for (role, may) in [(1, vec![Right::View]), (2, vec![Right::View, Right::Take]), (3, Right::ALL.to_vec())] {
            for right in Right::ALL {
                let allowed = policy().authorize(&person(&[role]), right).is_ok();
                assert_eq!(allowed, may.contains(&right), "role {role} and {right:?}");
            }
            assert_eq!(policy().greatest(&person(&[role])), may.last().copied());
        }
    }

    #[test]
    fn a_grant_names_who_where_and_what() {
        let grant = policy().authorize(&person(&[3]), Right::Take).unwrap();
        assert_eq!((grant.guild(), grant.user(), grant.right()), (HOME, UserId(7), Right::Take));
        assert!(grant.covers(Right::View) && grant.covers(Right::Take) && !grant.covers(Right::Restore));
    }

    #[test]
    fn a_missing_role_is_told_with_every_role_that_would_do() {
        assert_eq!(
            policy().authorize(&person(&[1]), Right::Take),
            Err(Denial::MissingRole { right: Right::Take, roles: vec![RoleId(2), RoleId(3)] })
        );
    }

    #[test]
    fn with_no_role_for_a_right_only_those_who_run_the_guild_have_it() {
        let policy = Policy::new([HOME], Roles { take: BTreeSet::from([RoleId(2)]), ..Roles::default() });
        assert!(policy.names_roles());
        assert_eq!(
            policy.authorize(&person(&[2]), Right::Restore),
            Err(Denial::NobodyConfigured { right: Right::Restore })
        );
        let admin = Person { administrator: true, ..person(&[]) };
        let manager = Person { manage_guild: true, ..person(&[]) };
        assert!(policy.authorize(&admin, Right::Restore).is_ok());
        assert!(policy.authorize(&manager, Right::Restore).is_ok());
        assert!(!Policy::new([HOME], Roles::default()).names_roles());
    }

    #[test]
    fn where_admins_may_nothing_only_roles_count() {
        let policy = policy().with_admins(AdminsMay::Nothing);
        let admin = Person { administrator: true, manage_guild: true, ..person(&[]) };
        assert_eq!(policy.greatest(&admin), None);
        assert_eq!(policy.greatest(&Person { roles: [RoleId(2)].into(), ..admin }), Some(Right::Take));
    }

    #[test]
    fn an_administrator_of_another_guild_or_in_a_direct_message_may_nothing() {
        let elsewhere = Person { guild: Some(GuildId(2000)), administrator: true, ..person(&[3]) };
        let direct = Person { guild: None, administrator: true, ..person(&[3]) };
        assert_eq!(policy().authorize(&elsewhere, Right::View), Err(Denial::ForeignGuild));
        assert_eq!(policy().authorize(&direct, Right::View), Err(Denial::NotInGuild));
    }

    #[test]
    fn the_guilds_own_id_as_a_role_means_everyone_in_that_guild_alone() {
        let other = GuildId(1001);
        let everyone = BTreeSet::from([RoleId(HOME.0)]);
        let policy = Policy::new([HOME, other], Roles { view: everyone, ..Roles::default() });
        assert!(policy.authorize(&person(&[]), Right::View).is_ok());
        let guest = Person { guild: Some(other), ..person(&[]) };
        assert!(policy.authorize(&guest, Right::View).is_err());
    }

    #[test]
    fn what_others_started_takes_the_greater_right() {
        assert_eq!(Right::over(UserId(1), UserId(1)), Right::Take);
        assert_eq!(Right::over(UserId(1), UserId(2)), Right::Restore);
    }

    proptest! {
        #[test]
        fn more_roles_never_lose_a_right(policy in any_policy(), who in any_person(), more in roles(), right in any_right()) {
            let promoted = Person { roles: who.roles.union(&more).copied().collect(), ..who.clone() };
            prop_assert!(policy.authorize(&who, right).is_err() || policy.authorize(&promoted, right).is_ok());
        }

        #[test]
        fn a_right_includes_every_smaller_one(policy in any_policy(), who in any_person(), right in any_right()) {
            if policy.authorize(&who, right).is_ok() {
                for smaller in Right::ALL.into_iter().filter(|smaller| *smaller <= right) {
                    prop_assert!(policy.authorize(&who, smaller).is_ok());
                }
            }
        }

        #[test]
        fn nobody_gets_anything_outside_the_served_guilds(policy in any_policy(), who in any_person(), right in any_right()) {
            if policy.authorize(&who, right).is_ok() {
                prop_assert!(policy.guilds().any(|guild| Some(guild) == who.guild));
            }
        }

        #[test]
        fn any_one_role_named_in_a_denial_would_have_done(policy in any_policy(), who in any_person(), right in any_right()) {
            if let Err(Denial::MissingRole { roles, .. }) = policy.authorize(&who, right) {
                prop_assert!(!roles.is_empty());
                for role in roles {
                    let mut promoted = who.clone();
                    promoted.roles.insert(role);
                    prop_assert!(policy.authorize(&promoted, right).is_ok());
                }
            }
        }
    }
}
