# What the cluster needs from the machine, and which Debian package has it.

readonly needed_programs='
slurmctld  slurmctld
slurmd     slurmd
srun       slurm-client
sinfo      slurm-client
munged     munge
ip         iproute2
flock      util-linux
nsenter    util-linux
setpriv    util-linux
setsid     util-linux
unshare    util-linux
mount      mount
hostname   hostname
find       findutils
'

require_programs() {
  local program package programs='' packages=''
  while read -r program package; do
    [ -z "$program" ] || command -v "$program" >/dev/null && continue
    programs="$programs $program"
    case "$packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
  done <<<"$needed_programs"
  [ -z "$programs" ] ||
    die --code 3 "missing$programs (Debian packages$packages); install with: tests/install-packages slurm"
}
