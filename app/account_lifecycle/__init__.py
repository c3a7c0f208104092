"""What an account does across teams and projects: it is onboarded, exported and closed."""
