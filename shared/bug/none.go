//go:build !bug_ack_before_commit && !bug_ack_failed_commit && !bug_ack_on_publish && !bug_assignment_unchecked && !bug_clash_replaces && !bug_delta_last_only && !bug_discount_lost && !bug_duplicate_posts && !bug_fork_drops && !bug_gap_accepted && !bug_head_never_down && !bug_head_not_monotone && !bug_late_dropped && !bug_lower_rank_wins && !bug_no_compare_and_swap && !bug_no_pin && !bug_old_revision_wins && !bug_one_lane && !bug_parts_forgotten && !bug_positions_only && !bug_refused_blocks && !bug_refused_dropped && !bug_restore_unnoticed && !bug_rounding && !bug_salvage_drops && !bug_salvage_silent && !bug_tax_sign && !bug_undo_forgotten && !bug_void_posts && !bug_release_crash && !bug_release_eats && !bug_release_hang && !bug_release_later && !bug_release_offline && !bug_release_schema && !bug_release_windows_only

package bug

const active = ""
