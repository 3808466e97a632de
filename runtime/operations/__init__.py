"""What people do to a peer from elsewhere: calls of its services, deployment, spells. The commands `avm peer …` stand on these."""
