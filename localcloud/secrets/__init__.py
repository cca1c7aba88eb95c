"""Secret Manager on a laptop: secrets and their versions, for what runs on the local Cloud Run."""
