# Install rules shared by all folders. Each folder installs its own programs and headers.
